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
#   STORE, S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ADDRESSING
#                     the object store, as the services read them; unless STORE is s3 or there is a bucket, there is none.
#                     Keys are not needed: the streaming service signs addresses
#   CACHE_SIZE        how much of the object store's files is kept, such as 10g (default)
#   CACHE_DIR         where (default: objects, in nginx's prefix)
#   BUILDS_DIR        what keep-builds.sh has made (default /builds); without it there are this build's static files only
#   STATIC_DIR        this build's (default /srv/static)
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

# The front end's files --------------------------------------------------------------------------------------

static_dir=${STATIC_DIR:-/srv/static}
builds_dir=${BUILDS_DIR:-/builds}
[ ! -d "$builds_dir/files" ] || static_dir=$builds_dir/files
echo "alias $static_dir/\$static_file;" >"$conf_dir/static.inc"

# The object store -----------------------------------------------------------------------------------------

# setting NAME DEFAULT: the value of a variable, or what is in the file that NAME_FILE names.
setting() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    [ -z "$file" ] || value=$(cat "$file") || fail "$1_FILE cannot be read."
    echo "${value:-$2}"
}

cache_size=${CACHE_SIZE:-10g}
case $cache_size in
    *[!0-9kKmMgG]* | [!0-9]*) fail "CACHE_SIZE is '$cache_size'; it takes a size such as 500m or 10g." ;;
esac
default_bucket=
[ "${STORE:-disk}" = disk ] || default_bucket=matinee
bucket=$(setting S3_BUCKET "$default_bucket")
{
    # Without a store too: a location names it.
    echo "proxy_cache_path ${CACHE_DIR:-objects} levels=1:2 keys_zone=objects:32m max_size=$cache_size inactive=30d use_temp_path=off;"
    if [ -n "$bucket" ]; then
        region=$(setting S3_REGION us-east-1)
        endpoint=$(setting S3_ENDPOINT "https://s3.$region.amazonaws.com")
        endpoint=${endpoint%/}
        addressing=$(setting S3_ADDRESSING auto)
        scheme=${endpoint%%://*}
        host=${endpoint#*://}
        case $scheme://$host in
            http://*[!A-Za-z0-9.:-]* | https://*[!A-Za-z0-9.:-]* | http:// | https://)
                fail "S3_ENDPOINT is '$endpoint'; it takes an address such as https://s3.example.org."
                ;;
            http://*) port=80 ;;
            https://*) port=443 ;;
            *) fail "S3_ENDPOINT is '$endpoint'; it takes an address such as https://s3.example.org." ;;
        esac
        case $addressing:$host in
            virtual:* | auto:*.amazonaws.com) host=$bucket.$host ;;
        esac
        case $host in
            *:*) server=$host ;;
            *) server=$host:$port ;;
        esac
        # An IP address is not looked up.
        case ${host%:*} in
            *[!0-9.]*) resolve=" resolve" ;;
            *) resolve= ;;
        esac
        echo "upstream store {
    zone store 256k;
    server $server$resolve max_fails=0;
    keepalive 64;
    keepalive_requests 100000;
}"
    fi
} >"$conf_dir/store.conf"
{
    if [ -z "$bucket" ]; then
        echo "return 503;"
    else
        # shellcheck disable=SC2016 # nginx's variables
        echo 'proxy_pass '"$scheme"'://store$request_uri;'
        echo "proxy_set_header Host $host;"
        [ "$scheme" = http ] || echo "proxy_ssl_server_name on;
proxy_ssl_name ${host%:*};
proxy_ssl_verify on;
proxy_ssl_verify_depth 4;
proxy_ssl_trusted_certificate ${CA_FILE:-/etc/ssl/certs/ca-certificates.crt};"
    fi
} >"$conf_dir/store.inc"
