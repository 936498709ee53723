#!/bin/sh
# closure.sh FOLDER: puts what the programs in FOLDER need to run into it: libraries, a shell, curl, users.
set -eu
out=$1

# copy FILE...: the file and, if it is a link, what it points to, at the same places.
copy() {
    for file in "$@"; do
        mkdir -p "$out$(dirname "$file")"
        cp -L "$file" "$out$file"
    done
}
# The libraries of a program or library, the loader among them.
libraries() { ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p'; }

lib=$(dirname "$(libraries /bin/ls | grep libc.so)")
nftables=$(ls /usr/lib/*/libnftables.so.1)
copy /usr/bin/curl "$nftables" /etc/ssl/certs/ca-certificates.crt
# Looked up by name while programs run.
copy "$lib/libnss_dns.so.2" "$lib/libnss_files.so.2" "$lib/libresolv.so.2"
for program in "$out/usr/local/bin/suite-programs" /usr/bin/curl "$nftables"; do copy $(libraries "$program"); done

mkdir -p "$out/bin" "$out/etc" "$out/tmp" "$out/run/kiada/pods" "$out/run/kiada/tls" "$out/var/lib/kiada" "$out/data"
cp /bin/busybox "$out/bin/busybox"
for name in $("$out/bin/busybox" --list); do [ -e "$out/bin/$name" ] || ln -s busybox "$out/bin/$name"; done
printf 'root:x:0:0::/:/bin/sh\napp:x:10001:10001::/:/bin/sh\n' > "$out/etc/passwd"
printf 'root:x:0:\napp:x:10001:\n' > "$out/etc/group"
printf 'hosts: files dns\n' > "$out/etc/nsswitch.conf"
chmod 1777 "$out/tmp"
chown 10001:10001 "$out/data"
