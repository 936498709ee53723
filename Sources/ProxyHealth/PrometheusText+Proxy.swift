import Glibc
import NetTypes
import ServiceRouting

extension PrometheusText {
    private static let prefix = "kubeproxy_sync_proxy_rules_"

    /// kube-proxy's metrics about syncs (7.15).
    mutating func add(_ record: SyncRecord, planeName: String) {
        let prefix = Self.prefix
        single(prefix + "duration_seconds", "Time that making changes effective took.", record.syncs)
        single("kubeproxy_sync_full_proxy_rules_duration_seconds", "The same, for all Services.", record.fullSyncs)
        single(
            "kubeproxy_sync_partial_proxy_rules_duration_seconds", "The same, for the Services that changed.",
            record.partialSyncs)
        single(
            prefix + "last_timestamp_seconds", .gauge, "When changes last became effective; 0 for never.",
            Double(record.lastUpdated ?? 0) / 1e9)
        single(
            prefix + "last_queued_timestamp_seconds", .gauge, "When changes last came in; 0 for never.",
            Double(record.lastQueued ?? 0) / 1e9)
        single(
            prefix + "endpoint_changes_pending", .gauge, "Changes of endpoints that are not yet effective.",
            record.pendingEndpointChanges)
        single(prefix + "endpoint_changes_total", .counter, "Changes of endpoints.", record.endpointChanges)
        single(
            prefix + "service_changes_pending", .gauge, "Changes of Services that are not yet effective.",
            record.pendingServiceChanges)
        single(prefix + "service_changes_total", .counter, "Changes of Services.", record.serviceChanges)
        single(
            "kubeproxy_network_programming_duration_seconds",
            "Time from a change of a pod or Service until it was effective.", record.programming)
        if planeName == "nftables" {
            single(
                prefix + "nftables_sync_failures_total", .counter, "Syncs that nftables refused.", record.failures)
        }
    }

    mutating func add(_ count: NoLocalEndpoints) {
        let name = Self.prefix + "no_local_endpoints_total"
        family(name, .gauge, "Service ports with a Local policy and no endpoint on this node.")
        sample(name, ["traffic_policy": "internal"], count.internalPolicy)
        sample(name, ["traffic_policy": "external"], count.externalPolicy)
    }

    /// What went to each endpoint; endpoints come from the cluster, so their number is no client's choice.
    mutating func add(_ counters: [EndpointCounters]) {
        let sorted = counters.sorted { ($0.port, $0.endpoint) < ($1.port, $1.endpoint) }
        func all(
            _ text: inout PrometheusText, _ name: String, _ kind: Kind, _ help: String,
            _ value: KeyPath<EndpointCounters, UInt64>
        ) {
            text.family(name, kind, help)
            for one in sorted { text.sample(name, Self.labels(one), one[keyPath: value]) }
        }
        all(
            &self, "kiada_proxy_connections_total", .counter, "Connections and UDP flows opened to an endpoint.",
            \.connections)
        all(&self, "kiada_proxy_active_connections", .gauge, "Of these, those that are open.", \.active)
        all(
            &self, "kiada_proxy_dial_failures_total", .counter, "Dials that were refused or took too long.",
            \.dialFailures)
        all(&self, "kiada_proxy_to_endpoint_bytes_total", .counter, "Bytes from clients.", \.bytesToEndpoint)
        all(&self, "kiada_proxy_to_client_bytes_total", .counter, "Bytes from endpoints.", \.bytesToClient)
    }

    private static func labels(_ counters: EndpointCounters) -> KeyValuePairs<String, String> {
        [
            "namespace": counters.port.service.namespace, "service": counters.port.service.name,
            "port": counters.port.portName, "protocol": counters.port.proto.rawValue,
            "endpoint": "\(counters.endpoint)",
        ]
    }

    /// What the process uses.
    mutating func addProcess() {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        let microseconds = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        single("process_cpu_seconds_total", .counter, "User and system time.", seconds + microseconds / 1e6)
    }
}
