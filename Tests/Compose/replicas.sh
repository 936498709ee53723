# Replicas that come, die, freeze and go, under a loop of requests. (Part of run.sh.)

# answering: the pods that answer 40 requests of a pod.
answering() {
    inside quiz 'for i in $(seq 40); do curl -s --max-time 2 http://quote; done' | grep -o 'quote-[a-z0-9-]*' | sort -u
}
answers() { answering | grep -qx "$1"; }
silent() { ! answers "$1"; }
# loop SECONDS FILE: requests from a pod without a break; a line each, the pod or "failed".
loop() {
    inside quiz 'end=$(( $(date +%s) + '"$1"' )); while [ $(date +%s) -lt $end ]; do
        curl -sS --max-time 2 http://quote 2>&1 | grep -o "quote-[a-z0-9-]*" || echo failed; done' > "$2"
}

dc up -d --no-recreate --scale quote=5 > /dev/null 2>&1
within 3 "scaled to 5: quote-5 answers" answers quote-5

loop 4 "$folder/loop" & job=$!
within 2 "the loop runs" test -s "$folder/loop" || true
victim=$(docker ps -q --filter "name=^$project-quote-5$")
docker kill "$victim" > /dev/null
docker rm -f "$victim" > /dev/null
wait $job
note "kill under the loop: $(grep -c quote "$folder/loop") answers, $(grep -c failed "$folder/loop") failures"
check "the loop got answers" test "$(grep -c quote "$folder/loop")" -ge 20
# It is missed within a quarter of a second, in which a fifth of some ten requests goes there: the kernel dials nobody twice (7.3).
check "a killed replica fails only what is sent before it is missed" test "$(grep -c failed "$folder/loop")" -le 5
within 2 "a killed replica gets no traffic" silent quote-5

paused=$(docker ps -q --filter "name=^$project-quote-4$")
docker pause "$paused" > /dev/null
sleep 1
inside quiz 'for i in $(seq 60); do curl -sS --max-time 2 http://quote 2>&1 | grep -o "quote-[a-z0-9-]*" || echo failed; done' \
    > "$folder/paused"
same "a second after a replica was paused, all of 60 requests are answered" 60 "$(grep -c quote- "$folder/paused")"
same "and none goes to it" 0 "$(grep -cx quote-4 "$folder/paused")"
docker unpause "$paused" > /dev/null
within 4 "an unpaused replica serves again" answers quote-4

loop 4 "$folder/loop" & job=$!
within 2 "the loop runs again" test -s "$folder/loop" || true
docker stop -t 5 "$paused" > /dev/null
wait $job
note "stop under the loop: $(grep -c quote "$folder/loop") answers, $(grep -c failed "$folder/loop") failures"
check "the loop got answers again" test "$(grep -c quote "$folder/loop")" -ge 20
check "a stopped replica fails one request at most" test "$(grep -c failed "$folder/loop")" -le 1
dc up -d --no-recreate --scale quote=3 > /dev/null 2>&1
within 3 "scaled back: quote-4 gets no traffic" silent quote-4

before=$(inside kiada nslookup -type=a quote.kiada.svc.cluster.local | sed -n 's/^Address: *\([0-9.]*\)$/\1/p' | tail -1)
start=$(seconds)
dc restart service-proxy > /dev/null 2>&1
within 10 "after a restart of the proxy pods reach Services" inside quiz "curl -sf --max-time 1 http://quote"
note "restart of the proxy and first answer: $(since "$start") s"
same "cluster IPs outlive a restart" "$before" \
    "$(inside kiada nslookup -type=a quote.kiada.svc.cluster.local | sed -n 's/^Address: *\([0-9.]*\)$/\1/p' | tail -1)"
contains "docker compose logs" "listens on" "$(dc logs quote 2>&1)"
