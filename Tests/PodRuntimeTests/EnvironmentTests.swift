import ClusterModel
import NetTypes
import PodRuntime
import Testing

struct ServiceEnvironmentTests {
    private func service(
        _ name: String, namespace: String = "kiada", ip: String = "10.96.74.151", ports: [JSONValue]
    ) -> Service {
        var object = KubeObject(.services, namespace: namespace, name: name)
        object.json["spec"] = ["clusterIP": .string(ip), "clusterIPs": [.string(ip)], "ports": .array(ports)]
        return Service(object)
    }

    @Test("5.3: a Service with one named port gives exactly these eight variables, in this order (S49)")
    func quote() {
        let found = ServiceEnvironment.variables(
            for: [service("quote", ports: [["name": "http", "port": 80]])], namespace: "kiada", enableServiceLinks: true
        )
        #expect(
            found.map { "\($0.name)=\($0.value)" } == [
                "QUOTE_SERVICE_HOST=10.96.74.151", "QUOTE_SERVICE_PORT=80", "QUOTE_SERVICE_PORT_HTTP=80",
                "QUOTE_PORT=tcp://10.96.74.151:80", "QUOTE_PORT_80_TCP=tcp://10.96.74.151:80",
                "QUOTE_PORT_80_TCP_PROTO=tcp",
                "QUOTE_PORT_80_TCP_PORT=80", "QUOTE_PORT_80_TCP_ADDR=10.96.74.151",
            ])
    }

    @Test("S50, S51: k ports with m named give 3 + m + 4k variables, and hyphens become underscores")
    func severalPorts() {
        let ports: [JSONValue] = [["name": "dns", "port": 53, "protocol": "UDP"], ["name": "dns-tcp", "port": 53]]
        let found = ServiceEnvironment.variables(
            for: [service("kube-dns", ports: ports)], namespace: "kiada", enableServiceLinks: true)
        #expect(found.count == 3 + 2 + 8)
        #expect(found.contains { $0 == ("KUBE_DNS_SERVICE_PORT_DNS_TCP", "53") })
        #expect(found.contains { $0 == ("KUBE_DNS_PORT", "udp://10.96.74.151:53") })
    }

    @Test("5.3 [V] kube-dns and kubernetes")
    func builtIn() {
        let dns = service(
            "kube-dns", namespace: "kube-system", ip: "10.96.0.10",
            ports: [
                ["name": "dns", "port": 53, "protocol": "UDP"], ["name": "dns-tcp", "port": 53, "protocol": "TCP"],
                ["name": "metrics", "port": 9153],
            ])
        let api = service("kubernetes", namespace: "default", ip: "10.96.0.1", ports: [["name": "https", "port": 443]])
        let found = ServiceEnvironment.variables(for: [dns, api], namespace: "kube-system", enableServiceLinks: true)
        let values = Dictionary(found.map { ($0.name, $0.value) }) { first, _ in first }
        for (name, value) in [
            "KUBE_DNS_SERVICE_PORT": "53", "KUBE_DNS_SERVICE_PORT_DNS": "53", "KUBE_DNS_SERVICE_PORT_DNS_TCP": "53",
            "KUBE_DNS_SERVICE_PORT_METRICS": "9153", "KUBE_DNS_PORT": "udp://10.96.0.10:53",
            "KUBE_DNS_PORT_53_UDP": "udp://10.96.0.10:53", "KUBE_DNS_PORT_53_TCP": "tcp://10.96.0.10:53",
            "KUBERNETES_SERVICE_PORT_HTTPS": "443", "KUBERNETES_PORT": "tcp://10.96.0.1:443",
        ] { #expect(values[name] == value, "\(name)") }
    }

    @Test(
        "5.3 [V] a Service with an unnamed port gives seven; nodePort and targetPort are of no meaning; 9.5 primary only"
    )
    func unnamed() {
        var object = KubeObject(.services, namespace: "kiada", name: "kiada-publish-not-ready-addresses")
        object.json["spec"] = [
            "type": "NodePort", "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7", "fd00::7"],
            "ports": [["port": 80, "targetPort": 8080, "nodePort": 30080]],
        ]
        let found = ServiceEnvironment.variables(
            for: [Service(object)], namespace: "kiada", enableServiceLinks: true)
        #expect(found.count == 7 && found.allSatisfy { !$0.value.contains("8080") && !$0.value.contains("fd00") })
        // S51
        #expect(found.contains { $0 == ("KIADA_PUBLISH_NOT_READY_ADDRESSES_SERVICE_HOST", "10.96.0.7") })
    }

    @Test(
        "5.1: a Service named kubernetes in the pod's own namespace replaces the built-in one; ExternalNames have none")
    func ownKubernetes() {
        var external = KubeObject(.services, namespace: "kiada", name: "time-api")
        external.json["spec"] = ["type": "ExternalName", "externalName": "a.example"]
        let services = [
            Service(external),
            service("kubernetes", namespace: "default", ip: "10.96.0.1", ports: [["name": "https", "port": 443]]),
            service("kubernetes", namespace: "kiada", ip: "10.96.0.99", ports: [["port": 1]]),
        ]
        let found = ServiceEnvironment.variables(for: services, namespace: "kiada", enableServiceLinks: true)
        #expect(found.filter { $0.name == "KUBERNETES_SERVICE_HOST" }.map(\.value) == ["10.96.0.99"])
        #expect(!found.contains { $0.name.hasPrefix("TIME_API") })
    }

    @Test("5.1: only the own namespace, never headless ones, and always `kubernetes`")
    func choice() {
        let services = [
            service("quote", ports: [["port": 80]]), service("other", namespace: "else", ports: [["port": 80]]),
            service("headless", ip: "None", ports: [["port": 80]]),
            service("kubernetes", namespace: "default", ip: "10.96.0.1", ports: [["name": "https", "port": 443]]),
        ]
        func hosts(_ links: Bool) -> [String] {
            ServiceEnvironment.variables(for: services, namespace: "kiada", enableServiceLinks: links)
                .map(\.name).filter { $0.hasSuffix("_HOST") }
        }
        #expect(hosts(true) == ["KUBERNETES_SERVICE_HOST", "QUOTE_SERVICE_HOST"])
        #expect(hosts(false) == ["KUBERNETES_SERVICE_HOST"])
    }

    @Test("5.2: an IPv6 address is in brackets inside URLs only")
    func ipv6() {
        let found = ServiceEnvironment.variables(
            for: [service("a", ip: "fd00::a", ports: [["port": 1]])], namespace: "kiada", enableServiceLinks: true)
        #expect(found.contains { $0 == ("A_SERVICE_HOST", "fd00::a") })
        #expect(found.contains { $0 == ("A_PORT", "tcp://[fd00::a]:1") })
    }
}

struct ContainerEnvironmentTests {
    private let facts = PodFacts(
        podIP: .v4(IPv4Address(bits: 0x7FF4_0002)), hostIP: .v4(IPv4Address(bits: 0x7F12_0002)), nodeName: "node",
        folder: "/p")

    private func variables(_ env: [JSONValue], of pod: Pod = .fixture()) throws -> [String: String] {
        let container = Pod.fixture(container: ["env": .array(env)]).containers[0]
        let found = try ContainerEnvironment.variables(
            for: container, of: pod, facts: facts, image: [("MODE", "image")],
            services: [("QUIZ_SERVICE_HOST", "10.96.0.9")])
        return Dictionary(found.map { ($0.name, $0.value) }) { $1 }
    }

    @Test("5.4: env wins over Services and the image, and refers to what stands before it")
    func references() throws {
        let found = try variables([
            ["name": "MODE", "value": "mine"],
            ["name": "URL", "value": "http://$(QUIZ_SERVICE_HOST)/$(MODE)/$(NONE)/$$(MODE)"],
        ])
        #expect(found["MODE"] == "mine")
        #expect(found["URL"] == "http://10.96.0.9/mine/$(NONE)/$(MODE)")
        #expect(found["QUIZ_SERVICE_HOST"] == "10.96.0.9")
    }

    @Test(
        "5.5: the downward API's fields",
        arguments: [
            ("metadata.name", "web"), ("metadata.namespace", "kiada"), ("spec.nodeName", "node"),
            ("status.podIP", "127.244.0.2"),
            ("status.hostIP", "127.18.0.2"), ("metadata.labels['x']", ""),
        ])
    func fields(path: String, value: String) throws {
        let found = try variables([["name": "F", "valueFrom": ["fieldRef": ["fieldPath": .string(path)]]]])
        #expect(found["F"] == value)
    }

    @Test("A source that is not known is an error that names the variable")
    func unknown() {
        #expect(throws: ContainerEnvironmentError.self) {
            try variables([["name": "F", "valueFrom": ["fieldRef": ["fieldPath": "spec.wrong"]]]])
        }
        #expect(throws: ContainerEnvironmentError.self) {
            try variables([["name": "F", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]]])
        }
    }

    @Test("6.14: HOSTNAME is spec.hostname, else the pod's name")
    func hostname() throws {
        #expect(try variables([])["HOSTNAME"] == "web")
        #expect(try variables([], of: .fixture(spec: ["hostname": "quote1-hostname"]))["HOSTNAME"] == "quote1-hostname")
    }
}

struct ImageMapTests {
    private let map = ImageMap(["kiada/quote": .init(program: "quote"), "kiada/quote:9": .init(program: "nine")])

    @Test(
        "An image is found with its own tag, else without tag and digest",
        arguments: [
            ("kiada/quote", "quote"), ("kiada/quote:1.0", "quote"), ("kiada/quote:9", "nine"),
            ("kiada/quote@sha256:00", "quote"),
            ("kiada/quote:1.0@sha256:00", "quote"),
        ])
    func lookup(image: String, program: String) {
        #expect(map[image]?.program == program)
    }

    @Test("A registry's port is no tag, and an unknown image has no program")
    func unknown() {
        #expect(map["localhost:5000/kiada"] == nil)
        #expect(ImageMap(["localhost:5000/x": .init(program: "x")])["localhost:5000/x:1"]?.program == "x")
    }

    @Test("Mistakes in the document are named with their place")
    func mistakes() {
        func message(_ document: JSONValue) -> String? {
            do { _ = try ImageMap(document) } catch { return error.description }
            return nil
        }
        #expect(message([:]) == "the image map needs a mapping `images`")
        #expect(message(["images": ["a": [:]]])?.hasPrefix("images.a.program: Required value") == true)
        #expect(
            message(["images": ["a": ["program": "x", "evn": [:]]]])?.hasPrefix("images.a.evn: unknown field") == true)
        #expect(
            message(["images": ["a": ["program": "x", "env": ["P": 1]]]])?.hasPrefix("images.a.env.P: must be") == true)
        #expect(
            message(["images": ["a": ["program": "x", "replacesCommand": "yes"]]])
                == "images.a.replacesCommand: must be true or false")
    }
}

struct ContainerCommandTests {
    private func command(_ container: [String: JSONValue], replaces: Bool = false) throws -> [String] {
        var image = ImageMap.Program(program: "cat", arguments: ["image"])
        image.replacesCommand = replaces
        let pod = Pod.fixture(
            spec: ["volumes": [["name": "v", "emptyDir": [:]]]],
            container: container.merging(["volumeMounts": [["name": "v", "mountPath": "/html"]]]) { $1 })
        let configuration = PodRuntimeConfiguration(
            nodeName: "n", hostIP: .v4(IPv4Address(bits: 0)), stateDirectory: "/state",
            podRange: try #require(CIDR("10.0.0.0/24")), images: ImageMap([:]), programDirectory: "/none",
            searchPath: "/usr/bin:/bin", hasNamespaces: false, serviceVariables: { _, _ in [] })
        let found = try ContainerCommand(
            pod.containers[0], image: image, environment: [], places: ["v": "/pod/v"], configuration: configuration)
        return [String(found.program.split(separator: "/").last ?? "")] + found.arguments
    }

    @Test("A container's command goes before the image's, unless the image replaces it")
    func replacement() throws {
        #expect(try command([:]) == ["cat", "image"])
        #expect(try command(["command": ["sh", "-x"], "args": ["y"]]) == ["sh", "-x", "y"])
        #expect(
            try command(["command": ["no-such-program", "-c"], "args": ["y"]], replaces: true) == ["cat", "image"])
    }

    @Test("Without a file system of its own a container's shell script finds its volumes, too")
    func scripts() throws {
        #expect(
            try command(["command": ["sh", "-c", "echo /html2 > /html/index.html; ls \"/html\" /x/html"]])
                == ["sh", "-c", "echo /html2 > /pod/v/index.html; ls \"/pod/v\" /x/html"])
        #expect(
            try command(["command": ["cat", "-c", "see /html/x"], "args": ["/html/x"]])
                == ["cat", "-c", "see /html/x", "/pod/v/x"])
    }
}

struct ContainerSettingsTests {
    private func variables(_ container: JSONValue) throws -> [String: String] {
        var object = KubeObject(.pods, namespace: "kiada", name: "quiz")
        object.json["spec"] = ["containers": [container]]
        let pod = Pod(object)
        let address = try #require(IPAddress("10.244.0.2"))
        let facts = PodFacts(podIP: address, hostIP: address, nodeName: "n", folder: "/tmp")
        let found = try ContainerEnvironment.variables(
            for: try #require(pod.containers.first), of: pod, facts: facts, image: [], services: []
        ) { settings in
            switch settings {
            case .configMap("conf"): ["A": "1", "B": "2"]
            case .secret("safe"): ["KEY": "hidden"]
            default: nil
            }
        }
        return Dictionary(found.map { ($0.name, $0.value) }) { $1 }
    }

    @Test("5.4: envFrom first, env wins, and $(NAME) may refer to both")
    func order() throws {
        let found = try variables([
            "name": "c", "image": "x",
            "envFrom": [
                ["prefix": "P_", "configMapRef": ["name": "conf"]],
                ["configMapRef": ["name": "none", "optional": true]],
            ],
            "env": [
                ["name": "P_A", "value": "own"], ["name": "BOTH", "value": "$(P_A) $(P_B)"],
                ["name": "PIN", "valueFrom": ["secretKeyRef": ["name": "safe", "key": "KEY"]]],
                ["name": "GONE", "valueFrom": ["configMapKeyRef": ["name": "conf", "key": "Z", "optional": true]]],
            ],
        ])
        #expect(found["P_A"] == "own" && found["P_B"] == "2" && found["BOTH"] == "own 2" && found["PIN"] == "hidden")
        #expect(found["GONE"] == nil)
    }

    @Test(
        "what is missing is named",
        arguments: [
            (["name": "c", "image": "x", "envFrom": [["secretRef": ["name": "none"]]]], "secret \"none\" not found"),
            (
                [
                    "name": "c", "image": "x",
                    "env": [["name": "A", "valueFrom": ["configMapKeyRef": ["name": "conf", "key": "Z"]]]],
                ],
                "couldn't find key Z in configmap \"conf\" of namespace kiada"
            ),
        ] as [(JSONValue, String)])
    func missing(container: JSONValue, message: String) throws {
        let error = #expect(throws: ContainerEnvironmentError.self) { try variables(container) }
        #expect(error?.description == message)
    }
}
