import ClusterModel
import ClusterStore
import Foundation
import Testing

/// The rules for pods and what they mount.
struct PodAdmissionTests {
    private let cluster: Cluster

    init() throws { cluster = try Cluster() }

    /// The message of the refusal of a pod with one container, or "created".
    private func refusal(_ spec: [String: JSONValue], container: [String: JSONValue] = [:]) -> String {
        var app: [String: JSONValue] = ["name": "app", "image": "nginx"]
        app.merge(container) { $1 }
        var pod = KubeObject(.pods, namespace: "kiada", name: "p")
        pod.json["spec"] = .object(spec.merging(["containers": [.object(app)]]) { own, _ in own })
        do throws(APIError) {
            _ = try cluster.store.create(pod)
            return "created"
        } catch {
            return error.message
        }
    }

    @Test(
        "Volumes need a name of their own, a source with a name, legal modes and paths inside of the volume",
        arguments: [
            ([["emptyDir": [:]]], "spec.volumes[0].name: Required value"),
            ([["name": "a"], ["name": "a"]], #"spec.volumes[1].name: Duplicate value: "a""#),
            ([["name": "a", "configMap": [:]]], "spec.volumes[0].configMap.name: Required value"),
            ([["name": "a", "secret": ["name": "x"]]], "spec.volumes[0].secret.secretName: Required value"),
            (
                [["name": "a", "configMap": ["name": "x", "defaultMode": 4096]]],
                "spec.volumes[0].configMap.defaultMode: Invalid value: 4096: must be a number between 0 and 0777 (octal), both inclusive"
            ),
            (
                [["name": "a", "configMap": ["name": "x", "items": [["key": "k", "path": "../k"]]]]],
                #"spec.volumes[0].configMap.items[0].path: Invalid value: "../k": must not contain '..'"#
            ),
            (
                [["name": "a", "projected": ["sources": [["secret": [:]]]]]],
                "spec.volumes[0].projected.sources[0].secret.name: Required value"
            ),
        ] as [(JSONValue, String)])
    func volumes(volumes: JSONValue, message: String) {
        #expect(refusal(["volumes": volumes]) == "Pod \"p\" is invalid: \(message)")
    }

    @Test("4.1 the defaults of a probe")
    func probeDefaults() throws {
        var pod = KubeObject(.pods, namespace: "kiada", name: "p")
        pod.json["spec"] = [
            "containers": [
                ["name": "app", "image": "nginx", "readinessProbe": ["httpGet": ["port": 80]]]
            ]
        ]
        let made = try cluster.store.create(pod)
        #expect(
            made.json["spec"]?["containers"]?[0]?["readinessProbe"] == [
                "httpGet": ["path": "/", "port": 80, "scheme": "HTTP"], "timeoutSeconds": 1, "periodSeconds": 10,
                "successThreshold": 1, "failureThreshold": 3,
            ])
    }

    @Test(
        "4.1 what is wrong with a probe",
        arguments: [
            (["readinessProbe": [:]], "readinessProbe: Required value: must specify a handler type"),
            (
                ["readinessProbe": ["httpGet": ["port": 80], "tcpSocket": ["port": 80]]],
                "readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"
            ),
            (
                ["livenessProbe": ["httpGet": ["port": 80], "successThreshold": 2]],
                "livenessProbe.successThreshold: Invalid value: 2: must be 1"
            ),
            (
                ["startupProbe": ["httpGet": ["port": 80], "successThreshold": 2]],
                "startupProbe.successThreshold: Invalid value: 2: must be 1"
            ),
            (
                ["readinessProbe": ["httpGet": ["port": 80], "periodSeconds": -1]],
                "readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"
            ),
            (
                ["readinessProbe": ["httpGet": ["port": "a-name-that-is-too-long"]]],
                #"readinessProbe.httpGet.port: Invalid value: "a-name-that-is-too-long": must be no more than 15 characters"#
            ),
            (
                ["readinessProbe": ["tcpSocket": ["port": 0]]],
                "readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"
            ),
            (["readinessProbe": ["exec": [:]]], "readinessProbe.exec.command: Required value"),
            (
                ["readinessProbe": ["httpGet": ["port": 80, "scheme": "http"]]],
                #"readinessProbe.httpGet.scheme: Unsupported value: "http": supported values: "HTTP", "HTTPS""#
            ),
            (
                ["readinessProbe": ["httpGet": ["port": 80], "terminationGracePeriodSeconds": 1]],
                "readinessProbe.terminationGracePeriodSeconds: Forbidden: must not be set for readinessProbes"
            ),
        ] as [([String: JSONValue], String)])
    func probes(container: [String: JSONValue], message: String) {
        #expect(refusal([:], container: container) == "Pod \"p\" is invalid: spec.containers[0].\(message)")
    }

    @Test(
        "1.1 ports of a container, host name, subdomain and readiness gates",
        arguments: [
            ([:], ["ports": [["containerPort": 0]]], "spec.containers[0].ports[0].containerPort: Required value"),
            (
                [:], ["ports": [["containerPort": 65536]]],
                "spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive"
            ),
            (
                [:], ["ports": [["name": "a", "containerPort": 1], ["name": "a", "containerPort": 2]]],
                #"spec.containers[0].ports[1].name: Duplicate value: "a""#
            ),
            (
                [:], ["ports": [["containerPort": 1, "protocol": "tcp"]]],
                #"spec.containers[0].ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP""#
            ),
            (["hostname": "a.b"], [:], #"spec.hostname: Invalid value: "a.b": must not contain dots"#),
            (["subdomain": "a.b"], [:], #"spec.subdomain: Invalid value: "a.b": must not contain dots"#),
            (
                ["readinessGates": [["conditionType": "/x"]]], [:],
                #"spec.readinessGates[0].conditionType: Invalid value: "/x": prefix part must be non-empty"#
            ),
        ] as [([String: JSONValue], [String: JSONValue], String)])
    func names(spec: [String: JSONValue], container: [String: JSONValue], message: String) {
        #expect(refusal(spec, container: container) == "Pod \"p\" is invalid: \(message)")
    }

    @Test(
        "tolerations and affinity",
        arguments: [
            (
                ["tolerations": [["value": "x"]]],
                #"spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys""#
            ),
            (
                ["tolerations": [["key": "k", "operator": "Exists", "tolerationSeconds": 1]]],
                #"spec.tolerations[0].effect: Invalid value: "": effect must be 'NoExecute' when `tolerationSeconds` is set"#
            ),
            (
                ["tolerations": [["key": "k", "operator": "In"]]],
                #"spec.tolerations[0].operator: Unsupported value: "In": supported values: "Equal", "Exists""#
            ),
            (
                [
                    "affinity": [
                        "nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": []]]
                    ]
                ],
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"
            ),
            (
                [
                    "affinity": [
                        "nodeAffinity": [
                            "requiredDuringSchedulingIgnoredDuringExecution": [
                                "nodeSelectorTerms": [["matchExpressions": [["key": "k", "operator": "In"]]]]
                            ]
                        ]
                    ]
                ],
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            ),
        ] as [([String: JSONValue], String)])
    func placement(spec: [String: JSONValue], message: String) {
        #expect(refusal(spec) == "Pod \"p\" is invalid: \(message)")
    }

    private static func searches(_ count: Int, length: Int) -> JSONValue {
        .array(Array(repeating: .string(String(repeating: "d", count: length)), count: count))
    }

    @Test(
        "6.12 dnsPolicy is one of four, None names its servers, and the limits of dnsConfig are kept",
        arguments: [
            (["dnsPolicy": "Cluster"], #"spec.dnsPolicy: Unsupported value: "Cluster""#),
            (
                ["dnsPolicy": "None"],
                "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"
            ),
            (
                ["dnsConfig": ["nameservers": ["192.0.2.1", "dns.example.org"]]],
                #"spec.dnsConfig.nameservers[1]: Invalid value: "dns.example.org": must be a valid IP address"#
            ),
            (
                ["dnsConfig": ["nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]]],
                "must not have more than 3 nameservers"
            ),
            (
                ["dnsConfig": ["searches": Self.searches(33, length: 20)]],
                "must not have more than 32 search paths"
            ),
            (
                ["dnsConfig": ["searches": Self.searches(9, length: 240)]],
                "must not have more than 2048 characters (including spaces) in the search list"
            ),
        ] as [([String: JSONValue], String)])
    func dns(spec: [String: JSONValue], message: String) { #expect(refusal(spec).contains(message)) }

    @Test("A mount names a volume of the pod, and its path is used once")
    func mounts() {
        let mounts: JSONValue = [
            ["name": "none", "mountPath": "/a"], ["name": "v", "mountPath": "/a"],
            ["name": "v", "mountPath": "/b", "subPath": "/x"],
        ]
        #expect(
            refusal(["volumes": [["name": "v"]]], container: ["volumeMounts": mounts])
                == "Pod \"p\" is invalid: [spec.containers[0].volumeMounts[0].name: Not found: \"none\", "
                + "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique, "
                + "spec.containers[0].volumeMounts[2].subPath: Invalid value: \"/x\": must be a relative path]")
    }

    @Test("A Secret's stringData becomes data")
    func secret() throws {
        var secret = KubeObject(.secrets, namespace: "kiada", name: "s")
        secret.json["stringData"] = ["a": "text"]
        let stored = try cluster.store.create(secret)
        #expect(stored.json["data"] == ["a": "dGV4dA=="])
        #expect(stored.json["stringData"] == nil)
        #expect(stored.json["type"] == "Opaque")
    }

    @Test(
        "policies, deadlines, names of variables and requests are checked",
        arguments: [
            (
                ["imagePullPolicy": "Often"],
                #"spec.containers[0].imagePullPolicy: Unsupported value: "Often": supported values: "Always", "IfNotPresent", "Never""#
            ),
            (
                ["env": [["name": "a=b"]]],
                #"spec.containers[0].env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='"#
            ),
            (
                ["resources": ["requests": ["cpu": "2"], "limits": ["cpu": "1"]]],
                #"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#
            ),
        ] as [([String: JSONValue], String)])
    func containers(container: [String: JSONValue], message: String) {
        #expect(refusal([:], container: container) == "Pod \"p\" is invalid: \(message)")
    }

    @Test(
        "a deadline is at least a second; claims need an access mode and a size; Events are of their object's namespace"
    )
    func others() throws {
        #expect(
            refusal(["activeDeadlineSeconds": 0])
                == #"Pod "p" is invalid: spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"#
        )
        let claim = KubeObject(.persistentvolumeclaims, namespace: "kiada", name: "c")
        let refused = #expect(throws: APIError.self) { try cluster.store.create(claim) }
        #expect(refused?.causes.map(\.path) == ["spec.accessModes", "spec.resources[storage]"])
        var event = KubeObject(.events, namespace: "kiada", name: "e")
        event.json["involvedObject"] = ["namespace": "other"]
        let other = #expect(throws: APIError.self) { try cluster.store.create(event) }
        #expect(other?.causes.map(\.path) == ["involvedObject.namespace"])
    }
}
