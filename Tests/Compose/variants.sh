# The ways in which kiada finds the others, the data planes, a second copy, dual stack. (Part of run.sh.)

# found: how kiada found quote and quiz.
found() {
    page /discovery | python3 -c 'import json, sys
print(" ".join(sorted({str(d.get("method")) for d in json.load(sys.stdin).values()})))'
}
no_errors() { local text; text=$(page /) && [[ $text == *"POP QUIZ"* && $text != *"ERROR"* ]]; }
is_found() { [ "$(found)" = "$1" ]; }
same "kiada finds the others by variables" "variables" "$(found)"
QUOTE_URL=http://quote.kiada.svc QUIZ_URL=http://quiz dc up -d --wait kiada > /dev/null 2>&1
within 5 "kiada finds the others by URL" is_found url
check "and the page has no error in it" no_errors
SERVICE_LINKS=false dc up -d --wait kiada > /dev/null 2>&1
within 5 "kiada finds the others by DNS" is_found dns
check "and the page has no error in it" no_errors

KIADA_DATA_PLANE=userspace dc up -d --wait > /dev/null 2>&1
within 10 "the userspace plane serves" inside quiz "curl -sf --max-time 1 http://quote"
contains "it says so" "userspace" "$(dc logs service-proxy 2>&1 | grep 'data plane' | tail -1)"

(
    export KIADA_NET=10.99 KIADA_PORT=18081 KIADA_TLS_PORT=18444 KIADA_API_PORT=16444
    docker compose -p "${project}b" up -d --wait > /dev/null 2>&1
)
contains "a second copy runs beside the first" "REQUEST INFO" "$(curl -sS --max-time 5 http://127.0.0.1:18081/)"
contains "and the first still does" "REQUEST INFO" "$(page /)"
KIADA_NET=10.99 docker compose -p "${project}b" down -v > /dev/null 2>&1

dc down -v > /dev/null 2>&1
files=(-f compose.yaml -f compose.dualstack.yaml)
if dc up -d --wait > "$folder/dual.log" 2>&1; then
    address=$(inside kiada nslookup -type=aaaa quote.kiada.svc.cluster.local | sed -n 's/^Address: *\([0-9a-f:]*::[0-9a-f]*\)$/\1/p' | tail -1)
    check "dual stack: quote has an IPv6 cluster IP ($address)" test -n "$address"
    contains "dual stack: curl -6 http://quote" "quote service running" "$(inside quiz curl -6 -s --max-time 3 http://quote)"
    contains "dual stack: curl -4 http://quote" "quote service running" "$(inside quiz curl -4 -s --max-time 3 http://quote)"
else
    tail -5 "$folder/dual.log"
    failed "docker compose -f compose.yaml -f compose.dualstack.yaml up"
fi
