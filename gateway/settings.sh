#!/bin/sh
# Writes the parts of nginx's configuration that need more than putting a value in its place.
# The image's entrypoint runs it before nginx starts.
#
#   MAX_UPLOAD_SIZE   bytes, or a number with k, m, g or t, as the services read it (default 16g)
#   TRUSTED_PROXIES   addresses or networks of proxies in front of the gateway, separated by blanks, whose
#                     X-Forwarded-For and X-Forwarded-Proto are believed (default: none)
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
