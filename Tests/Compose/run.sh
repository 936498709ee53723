#!/usr/bin/env bash
# The suite in containers, tried as a user would: builds the image, starts a project of its own beside whatever runs,
# and checks what docs/compose.md promises. One line a check; exit code 1 if one failed.
#
#   Tests/Compose/run.sh             all of it
#   KEEP=1 Tests/Compose/run.sh      leaves the project running
#   SKIP_BUILD=1 Tests/Compose/run.sh   uses the image kiada-suite:dev as it is
#
# Needs: Docker with compose 2.20 or newer, curl, python3; kubectl and dig if there.
set -uo pipefail
cd "$(dirname "$0")/../.."
source Tests/Compose/checks.sh

project=kiadatest$$
export KIADA_NET=${TEST_NET:-10.98} KIADA_PORT=18080 KIADA_TLS_PORT=18443 KIADA_API_PORT=16443
unset QUOTE_URL QUIZ_URL SERVICE_LINKS KIADA_DATA_PLANE
folder=$(mktemp -d)
files=(-f compose.yaml)

dc() { docker compose -p "$project" "${files[@]}" "$@"; }
# inside COMPOSE_SERVICE SHELL_COMMAND: in the first container of a compose service.
inside() { local service=$1; shift; dc exec -T "$service" sh -c "$*"; }
# page PATH: what kiada answers at the published port.
page() { curl -sS --max-time 5 "http://127.0.0.1:$KIADA_PORT$1"; }
cleanup() {
    local code=$?
    trap - EXIT
    [ -n "${KEEP:-}" ] || docker compose -p "$project" "${files[@]}" down -v --remove-orphans > /dev/null 2>&1
    [ -n "${KEEP:-}" ] || KIADA_NET=10.99 docker compose -p "${project}b" down -v > /dev/null 2>&1
    rm -rf "$folder"
    exit $code
}
trap cleanup EXIT
trap 'exit 130' INT TERM

docker info > /dev/null 2>&1 || { echo "no Docker engine answers; start one (Linux: systemctl start docker)" >&2; exit 1; }

if [ -z "${SKIP_BUILD:-}" ]; then
    start=$(seconds)
    dc build > "$folder/build.log" 2>&1 || { tail -20 "$folder/build.log"; failed "docker compose build"; finish; }
    note "docker compose build took $(since "$start") s"
fi
size=$(docker image inspect kiada-suite:dev --format '{{.Size}}')
note "the image has $((size / 1000000)) MB"
check "the image is smaller than 120 MB" test "$size" -lt 120000000
check "the image's user is not root" test "$(docker image inspect kiada-suite:dev --format '{{.Config.User}}')" = 10001:10001

start=$(seconds)
dc up -d --wait > "$folder/up.log" 2>&1 || { tail -5 "$folder/up.log"; dc ps -a; dc logs | tail -40; failed "docker compose up"; finish; }
note "docker compose up -d --wait took $(since "$start") s"
note "$(dc logs service-proxy 2>&1 | grep -o 'data plane.*' | head -1)"

source Tests/Compose/clients.sh
source Tests/Compose/replicas.sh
source Tests/Compose/variants.sh

dc down -v > "$folder/down.log" 2>&1
for kind in container volume network; do
    left=$(docker "$kind" ls -q $([ $kind = container ] && echo -a) --filter "label=com.docker.compose.project=$project")
    check "down -v leaves no $kind" test -z "$left"
done
finish
