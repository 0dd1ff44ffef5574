#!/bin/sh
# Writes the parts of nginx's configuration that are a list or a choice. The image's entrypoint runs it
# before nginx starts.
#
#   ALLOWED_HOSTS     names under which the site answers, separated by commas, besides localhost and IP addresses;
#                     *.example.org is example.org and all names below it (default: none)
#   TRUSTED_PROXIES   addresses or networks of proxies in front of the gateway, separated by blanks, whose
#                     X-Forwarded-For and X-Forwarded-Proto are believed (default: none)
#   COOKIE_SECURE     `true`, as the services read it: there is HTTPS in front, whatever comes through it says
#   CERTS_DIR         if it holds fullchain.pem and privkey.pem, all three ports speak HTTPS (default /certs)
#   CONF_DIR          the folder to write into (default /etc/nginx/conf.d)
set -eu

fail() {
    echo >&2 "gateway: $1"
    exit 1
}

conf_dir=${CONF_DIR:-/etc/nginx/conf.d}

# Under which names the site answers. Others get 421, malformed ones 400; a request without a name has
# `_`, the server's own. nginx looks at whole names first, and at the expressions in this order.
allowed_hosts() {
    old_ifs=$IFS
    IFS=,
    set -f
    for host in 'localhost' '*.localhost' ${ALLOWED_HOSTS:-}; do
        host=$(printf %s "$host" | tr -d ' ' | tr 'A-Z' 'a-z')
        [ -n "$host" ] || continue
        name=${host#\*.}
        case $name in
            '' | *[!a-z0-9.-]* | .* | *. | *..*)
                fail "ALLOWED_HOSTS has '$host'; it takes names such as video.example.org or *.example.org, without a port."
                ;;
        esac
        echo "    $name \"\";"
        [ "$name" = "$host" ] || echo "    $host \"\";"
    done
    set +f
    IFS=$old_ifs
}

# An assignment fails with the function, as a pipe would not.
hosts=$(allowed_hosts)
{
    # shellcheck disable=SC2016 # nginx's variables
    echo 'map $host $host_error {
    hostnames;
    default 421;
    "~^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$" "";
    "~^\[[0-9a-f:.]+\]$" "";
    "~[^a-z0-9.-]" 400;'
    echo "$hosts" | sort -u
    echo "}"
} >"$conf_dir/allowed-hosts.conf"

{
    for proxy in ${TRUSTED_PROXIES:-}; do
        case $proxy in
            *[!0-9a-fA-F.:/]*) fail "TRUSTED_PROXIES names '$proxy', which is not an address or network." ;;
        esac
        echo "set_real_ip_from $proxy;"
    done
    echo "real_ip_header X-Forwarded-For;"
    echo "real_ip_recursive on;"
    echo "geo \$realip_remote_addr \$from_trusted_proxy {"
    echo "    default 0;"
    for proxy in ${TRUSTED_PROXIES:-}; do
        echo "    $proxy 1;"
    done
    echo "}"
    # shellcheck disable=SC2016 # nginx's variables
    echo 'map "$from_trusted_proxy $http_x_forwarded_proto" $forwarded_proto {
    default $scheme;
    "1 https" https;
    "1 http" http;
}'
} >"$conf_dir/trusted-proxies.conf"

# HTTPS, if there is a certificate -------------------------------------------------------------------------

certs_dir=${CERTS_DIR:-/certs}
certificate=
if [ -e "$certs_dir/fullchain.pem" ]; then
    certificate=$certs_dir/fullchain.pem
    key=$certs_dir/privkey.pem
    for file in "$certificate" "$key"; do
        [ -r "$file" ] || fail "$file cannot be read by user $(id -u); the certificate and its key are needed there."
    done
fi

secure=${COOKIE_SECURE:-false}
{
    if [ -z "$certificate" ]; then
        for port in 5000 5001 5002; do
            echo "listen $port;"
        done
    else
        secure=true
        echo "http2 on;"
        for port in 5000 5001 5002; do
            echo "listen $port ssl;"
        done
        # Mozilla's "intermediate" (version 5.7): every browser of the last ten years.
        echo "ssl_certificate $certificate;
ssl_certificate_key $key;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_prefer_server_ciphers off;
ssl_session_timeout 1d;
ssl_session_cache shared:tls:10m;
ssl_session_tickets off;"
        # Who still asks without TLS is led to where they wanted to go. 308 keeps the method.
        # shellcheck disable=SC2016 # nginx's variables
        echo 'error_page 497 =308 https://$http_host$request_uri;'
    fi
} >"$conf_dir/listen.inc"

{
    # shellcheck disable=SC2016 # nginx's variables
    echo 'add_header X-Request-Id $request_id always;'
    [ -z "$certificate" ] || echo 'add_header Strict-Transport-Security "max-age=31536000" always;'
} >"$conf_dir/headers.inc"

# The cookies of the session and of the links that a browser has opened, as the services call them: where the
# connection is private, they have a prefix that keeps everybody but this host from setting them. A variable's
# name has no dash, hence the expression. Only what has the shape of our values goes further: it holds none of
# the separators of the cache key, is of bounded length, and anything else would not be found anyway. Of a cookie
# sent twice the first counts.
#
# map_cookie COOKIE VARIABLE SHAPE: sets $VARIABLE to the cookie's value, and $VARIABLE_cookie to its name.
# shellcheck disable=SC2016 # nginx's variables
map_cookie() {
    prefixed='map $http_cookie $prefixed_'$2' {
    default "";
    "~(?:^|; *)__Host-'$1'=(?<prefixed_'$2'_value>[^;]*)" $prefixed_'$2'_value;
}'
    case $secure in
        true)
            echo "$prefixed"
            given=prefixed_$2
            echo "map \"\" \$$2_cookie { default __Host-$1; }"
            ;;
        false | '')
            given=cookie_$1
            if [ -n "${TRUSTED_PROXIES:-}" ]; then
                echo "$prefixed"
                given=$2_given
                echo "map \$forwarded_proto \$$2_given {
    default \$cookie_$1;
    https \$prefixed_$2;
}
map \$forwarded_proto \$$2_cookie {
    default $1;
    https __Host-$1;
}"
            else
                echo "map \"\" \$$2_cookie { default $1; }"
            fi
            ;;
        *) fail "COOKIE_SECURE is '$secure'; it takes true or false." ;;
    esac
    echo "map \$$given \$$2 {
    default \"\";
    \"~^$3\$\" \$$given;
}"
}
{
    map_cookie matinee_session session_token '[A-Za-z0-9_-]{16,100}'
    map_cookie matinee_visits visits '[A-Za-z0-9_.-]{16,2100}'
} >"$conf_dir/cookies.conf"
