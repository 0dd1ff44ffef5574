#!/bin/sh
# Adds this build's static files to those of the builds before, and keeps the newest three. A page of an older service
# then finds its scripts and styles at a newer gateway, and the other way round.
#
#   STATIC_DIR   this build's files
#   BUILDS_DIR   the folder for all, which gateways read: `files`, and one list of names for each build
#
# Names have a hash of the content, so files of different builds never collide. Compose runs this once per start,
# before the services.
set -eu

static_dir=${STATIC_DIR:-/srv/static}
builds_dir=${BUILDS_DIR:-/builds}
files=$builds_dir/files
mkdir -p "$files"

build=$(sha256sum <"$static_dir/manifest.json" | cut -c 1-16)
for file in "$static_dir"/*-????????.*; do
    name=${file##*/}
    if [ ! -e "$files/$name" ]; then
        cp "$file" "$files/.$name.new"
        mv -f "$files/.$name.new" "$files/$name"
    fi
    echo "$name"
done >"$builds_dir/.$build.new"
# All its files are there before the build counts, and its time makes it the newest.
mv -f "$builds_dir/.$build.new" "$builds_dir/$build.list"

# shellcheck disable=SC2012 # the names are ours
ls -t "$builds_dir"/*.list | tail -n +4 | while read -r list; do
    rm "$list"
done
for file in "$files"/* "$files"/.*.new; do
    grep -qxF "${file##*/}" "$builds_dir"/*.list || rm -f "$file"
done
