# What the scripts beside this one share: checks that count, and waiting with a limit.
checks=0
failures=0

seconds() { date +%s.%N; }
since() { python3 -c "import sys, time; print(f'{time.time() - float(sys.argv[1]):.2f}')" "$1"; }
note() { echo "      $*"; }
passed() { checks=$((checks + 1)); echo "ok    $*"; }
failed() { checks=$((checks + 1)); failures=$((failures + 1)); echo "FAIL  $*"; }
# check TEXT COMMAND...: whether the command succeeds.
check() { local text=$1; shift; if "$@" > /dev/null 2>&1; then passed "$text"; else failed "$text"; fi; }
# same TEXT WANTED FOUND
same() { if [ "$2" = "$3" ]; then passed "$1"; else failed "$1: wanted \"$2\", got \"$3\""; fi; }
# contains TEXT PART WHOLE
contains() { case "$3" in *"$2"*) passed "$1" ;; *) failed "$1: no \"$2\" in \"${3:0:300}\"" ;; esac; }
# within SECONDS TEXT COMMAND...: until the command succeeds; says how long that took.
within() {
    local limit=$1 text=$2 start
    shift 2
    start=$(seconds)
    until "$@" > /dev/null 2>&1; do
        if python3 -c "import sys; sys.exit(float(sys.argv[1]) < float(sys.argv[2]))" "$(since "$start")" "$limit"; then
            failed "$text: not within $limit s"
            return 1
        fi
    done
    passed "$text ($(since "$start") s)"
}
finish() {
    echo "compose: $checks checks, $failures failed"
    [ "$failures" = 0 ] || exit 1
    exit 0
}
