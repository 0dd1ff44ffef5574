#!/bin/sh
# Writes the parts of nginx's configuration that need more than putting a value in its place.
# The image's entrypoint runs it before nginx starts.
#
#   MAX_UPLOAD_SIZE   bytes, or a number with k, m, g or t, as the services read it (default 16g)
#   TRUSTED_PROXIES   addresses or networks of proxies in front of the gateway, separated by blanks, whose
#                     X-Forwarded-For and X-Forwarded-Proto are believed (default: none)
#   TLS_CERTIFICATE   the chain and the key of the site's certificate, in PEM (default /certs/fullchain.pem and
#   TLS_KEY           /certs/privkey.pem, if they are there); with them all three ports speak HTTPS
#   COOKIE_SECURE     `true`, as the services read it: there is HTTPS in front, whatever comes through it says
#   CONF_DIR          the folder to write into (default /etc/nginx/conf.d)
set -eu

fail() {
    echo >&2 "gateway: $1"
    exit 1
}

conf_dir=${CONF_DIR:-/etc/nginx/conf.d}

# Multipart wraps the file in a few hundred bytes and the form's other fields.
frame=1048576

size=$(printf %s "${MAX_UPLOAD_SIZE:-16g}" | tr 'KMGT' 'kmgt')
number=${size%[kmgt]}
case $number in
    '' | *[!0-9]* | ????????????????*) fail "MAX_UPLOAD_SIZE is '$size'; it takes a size such as 200m or 16g." ;;
esac
# A leading zero would be read as octal.
number=$(printf %s "$number" | sed 's/^0*//')
[ -n "$number" ] || fail "MAX_UPLOAD_SIZE is '$size'; it takes a size such as 200m or 16g."
case $size in
    *k) bytes=$((number * 1024)) ;;
    *m) bytes=$((number * 1024 * 1024)) ;;
    *g) bytes=$((number * 1024 * 1024 * 1024)) ;;
    *t) bytes=$((number * 1024 * 1024 * 1024 * 1024)) ;;
    *) bytes=$number ;;
esac
# Past what a 64-bit number holds; the limit is then as far as it goes.
if [ "$bytes" -le 0 ] || [ "${#number}" -gt 9 ] && [ "$size" != "$number" ]; then
    fail "MAX_UPLOAD_SIZE is '$size', which is more than can be counted."
fi
echo "client_max_body_size $((bytes + frame));" >"$conf_dir/upload-size.inc"

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

certificate=${TLS_CERTIFICATE:-}
key=${TLS_KEY:-}
if [ -z "$certificate$key" ] && [ -e /certs/fullchain.pem ]; then
    certificate=/certs/fullchain.pem
    key=/certs/privkey.pem
fi
case $certificate$key in
    *[!A-Za-z0-9_./-]*) fail "TLS_CERTIFICATE and TLS_KEY take paths of letters, digits and ._/- only." ;;
esac
if [ -n "$certificate$key" ]; then
    [ -n "$certificate" ] && [ -n "$key" ] || fail "TLS_CERTIFICATE and TLS_KEY go together; one of them is not set."
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
        # nginx 1.25.1 has taken HTTP/2 out of `listen`.
        case $(nginx -v 2>&1) in
            *nginx/1.[01]*.* | *nginx/1.2[0-4].*) parameters="ssl http2" ;;
            *) parameters=ssl && echo "http2 on;" ;;
        esac
        for port in 5000 5001 5002; do
            echo "listen $port $parameters;"
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

# The cookie that holds the session, as the services call it: where the connection is private, it has a prefix
# that keeps everybody but this host from setting it. A variable's name has no dash, hence the expression.
# Only what has the shape of a token goes further: it holds none of the separators of the cache key, is of
# bounded length, and anything else would not be found anyway. Of a cookie sent twice the first counts.
# shellcheck disable=SC2016 # nginx's variables
{
    prefixed='map $http_cookie $prefixed_session {
    default "";
    "~(?:^|; *)__Host-matinee_session=(?<prefixed_value>[^;]*)" $prefixed_value;
}'
    case $secure in
        true)
            echo "$prefixed"
            given=prefixed_session
            echo 'map "" $session_cookie { default __Host-matinee_session; }'
            ;;
        false | '')
            given=cookie_matinee_session
            if [ -n "${TRUSTED_PROXIES:-}" ]; then
                echo "$prefixed"
                given=session_given
                echo 'map $forwarded_proto $session_given {
    default $cookie_matinee_session;
    https $prefixed_session;
}
map $forwarded_proto $session_cookie {
    default matinee_session;
    https __Host-matinee_session;
}'
            else
                echo 'map "" $session_cookie { default matinee_session; }'
            fi
            ;;
        *) fail "COOKIE_SECURE is '$secure'; it takes true or false." ;;
    esac
    echo "map \$$given \$session_token {
    default \"\";
    \"~^[A-Za-z0-9_-]{16,100}\$\" \$$given;
}"
} >"$conf_dir/session-cookie.conf"
