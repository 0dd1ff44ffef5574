#!/bin/sh
# Makes the passwords of an installation at its first start, and the access rules of Redis at every start.
# Compose runs it as root before everything else, with the volume `secrets` at SECRETS_DIR.
#
#   db-password.<user>   of MySQL's users; a service's is the one of .env (AUTH_DB_PASSWORD, ...) if that is set
#   s3-access-key, s3-secret-key
#                        of the object store, those of .env (S3_ACCESS_KEY, S3_SECRET_KEY) if they are set
#   s3.json              who may use the object store of the profile `s3`
#   redis-url.<user>     how a service reaches Redis, with its password
#   redis.acl            who may use which keys and commands of Redis
#
# Each file can be read by root and by one group. A container is in the groups whose secrets it needs
# (`group_add` in docker-compose.yml), so that one that is broken into cannot pose as another.
set -eu
umask 077

dir=${SECRETS_DIR:-/secrets}

random() {
    head -c 24 /dev/urandom | base64 | tr '+/' '-_'
}

# write NAME GROUP VALUE: replaces the file as a whole, so that nobody reads half of it.
write() {
    printf '%s' "$3" >"$dir/.new"
    chgrp "$2" "$dir/.new"
    chmod 440 "$dir/.new"
    mv -f "$dir/.new" "$dir/$1"
}

# keep NAME GROUP VALUE: writes the file if it is not there yet.
keep() {
    [ -s "$dir/$1" ] || write "$1" "$2" "$3"
}

password() {
    if [ -n "$3" ]; then write "$1" "$2" "$3"; else keep "$1" "$2" "$(random)"; fi
}

password db-password.root 20001 ""
password db-password.migrate 20003 ""
password db-password.auth 20004 "${AUTH_DB_PASSWORD:-}"
password db-password.upload 20005 "${UPLOAD_DB_PASSWORD:-}"
password db-password.streaming 20006 "${STREAMING_DB_PASSWORD:-}"
password db-password.transcode 20007 "${TRANSCODE_DB_PASSWORD:-}"

# The object store -------------------------------------------------------------------------------------

password s3-access-key 20008 "${S3_ACCESS_KEY:-}"
password s3-secret-key 20008 "${S3_SECRET_KEY:-}"

# json NAME: the content of a file as a string of JSON.
json() {
    sed 's/[\\"]/\\&/g; s/.*/"&"/' "$dir/$1"
}
write s3.json 20008 "{\"identities\": [{\"name\": \"matinee\", \"actions\": [\"Admin\"],
\"credentials\": [{\"accessKey\": $(json s3-access-key), \"secretKey\": $(json s3-secret-key)}]}]}
"

# Redis ------------------------------------------------------------------------------------------------

commands="-@all +@string +@hash +@list +@transaction +del +exists +expire +ttl +eval +evalsha +script|load \
+ping +select +client|setinfo +client|setname"
# Auth alone writes sessions. The others read them, extend the ones that are used, and note when that was.
reads_sessions="%R~session:* %R~sessions:* (+expire ~session:*) (+hset ~sessions:*)"
videos="~video:* ~video-lease:*"
groups="~groups:* ~groups-lease:*"

# user NAME GROUP RULES: writes the user's URL at the first start, and prints the user's line of the rules.
user() {
    keep "redis-url.$1" "$2" "redis://$1:$(random)@redis:6379/0"
    secret=$(sed 's/^[^:]*:[^:]*:\([^@]*\)@.*/\1/' "$dir/redis-url.$1")
    echo "user $1 on #$(printf '%s' "$secret" | sha256sum | cut -d ' ' -f 1) $commands $3"
}

# Nobody can sign in as `default`, which is off and has no password. Redis itself reads its append-only file in
# that name, and would lose every transaction in it without the rights.
write redis.acl 20002 "user default off resetpass ~* +@all
user health on nopass -@all +ping
$(user auth 20004 "~session:* ~sessions:* $videos $groups ~LIMITS:*")
$(user upload 20005 "$reads_sessions $videos ~upload-claim:* ~upload-parts:* ~jobs:wake")
$(user streaming 20006 "$reads_sessions $videos $groups ~visit:* ~LIMITS:* ~jobs:wake")
$(user transcode 20007 "$videos ~jobs:wake")
"
