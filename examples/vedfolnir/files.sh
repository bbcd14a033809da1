#!/usr/bin/env bash
# Makes the files that data.sql names, and the users' own directories: bash files.sh DIRECTORY
# Image 1062 was never downloaded, so its file is not there.
set -euo pipefail
root=${1:?usage: files.sh DIRECTORY}
mkdir -p "$root"/images "$root"/temp "$root"/backups

file_of() { printf 'images/%s.jpg' "$(printf '%s' "$1" | md5sum | cut -c 1-16)"; }

for user in 1 2 3 12 21; do
    for n in 1 2 3 4 5 6; do
        for k in 1 2; do
            image="$user$(printf '%02d' "$n")$k"
            case $image in
                1011 | 12011) url=https://media.example.org/shared.jpg ;;
                1021 | 1022) url=https://media.example.org/twice.jpg ;;
                1062 | 12021) continue ;;
                *) url=https://media.example.org/$user$(printf '%02d' "$n")/$k.jpg ;;
            esac
            echo "picture behind $url" >"$root/$(file_of "$url")"
        done
    done
done
for user in 1 2 12 21; do
    mkdir -p "$root/images/user_$user/drafts" "$root/temp/user_$user" "$root/backups/user_$user"
    echo "draft of user $user" >"$root/images/user_$user/drafts/draft.png"
    echo "upload of user $user" >"$root/temp/user_$user/upload.part"
    echo "backup of user $user" >"$root/backups/user_$user/settings.json"
done
# Lies in the directory of user 1 and is named by an image of user 12.
echo "picture lent to user 12" >"$root/images/user_1/lent.jpg"
