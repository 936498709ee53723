# Writes what the backends, the peers and our own planes read into $work; sourced by run.sh.
mkdir "$work/www"
head -c 10000000 /dev/zero >"$work/www/10MB"
head -c 1000000 /dev/zero >"$work/www/1MB"
cat >"$work/mixed.lua" <<'END'
local count, every = 0, tonumber(os.getenv("EVERY"))
function request()
    count = count + 1
    return wrk.format(nil, count % every == 0 and "/1MB" or "/")
end
END
text=$(printf 'x%.0s' $(seq 123))
nginx_head() { # name, processes
    echo "load_module $stream; daemon off; worker_processes $2; pid $work/$1.pid; error_log stderr error; user root;"
    echo "events { worker_connections 19000; }"
}
{
    nginx_head backends 2
    cat <<END
http {
    access_log off; keepalive_requests 100000000; keepalive_timeout 600s; sendfile on; tcp_nopush on;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server {
        $(for number in 200 $(seq "$next" $((next + 40))); do
            echo "listen $net.$number.1:8080 backlog=4096; listen $net.$number.2:8080 backlog=4096;"
        done)
        root $work/www;
        location = / { return 200 "$text"; }
    }
}
END
} >"$work/backends.conf"
{
    nginx_head stream "$threads"
    cat <<END
stream {
    upstream backends { random; server $net.200.1:8080; server $net.200.2:8080; }
    server { listen $net.201.2:80 backlog=4096; proxy_pass backends; tcp_nodelay on; }
}
END
} >"$work/stream.conf"
haproxy_config() { # address, option
    cat <<END
global
    nbthread $threads
    maxconn $((idle + 50))
defaults
    mode tcp
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    $2
listen quote
    bind $1:80 backlog 4096
    balance random
    server a $net.200.1:8080
    server b $net.200.2:8080
END
}
haproxy_config "$net.201.1" "" >"$work/haproxy.cfg"
haproxy_config "$net.201.3" "option splice-auto" >"$work/haproxy-splice.cfg"
cat >"$work/envoy.yaml" <<END
static_resources:
  listeners:
  - address: {socket_address: {address: $net.201.4, port_value: 80}}
    tcp_backlog_size: 4096
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: quote
          cluster: quote
          idle_timeout: 600s
  clusters:
  - name: quote
    type: STATIC
    lb_policy: RANDOM
    circuit_breakers: {thresholds: [{max_connections: 20000, max_pending_requests: 20000}]}
    load_assignment:
      cluster_name: quote
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: $net.200.1, port_value: 8080}}}
        - endpoint: {address: {socket_address: {address: $net.200.2, port_value: 8080}}}
END
# Each plane has backends of its own: to a backend that has just had a connection from the same port to another
# address, a forwarded client's timestamps may look old, and it would wait for a second.
manifest() { # block
    mkdir "$work/manifests-$1"
    {
        cat <<END
apiVersion: v1
kind: Service
metadata: {name: quote}
spec: {clusterIP: 127.$1.0.20, selector: {app: quote}, ports: [{port: 80, targetPort: 8080}]}
END
        local number
        for number in 1 2; do
            cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: quote-$number, labels: {app: quote}, annotations: {kiada.dev/pod-ip: $net.$1.$number}}
spec: {containers: [{name: quote, image: nginx}]}
END
        done
    } >"$work/manifests-$1/all.yaml"
}
