import ClusterModel
import ClusterStore
import NetTypes
import Testing

@testable import ControlPlane

@Suite("3.6 EndpointSlices that users write")
struct EndpointSliceRulesTests {
    private let store: Store

    init() throws { store = try Cluster().store }

    private static func slice(_ fields: [String: JSONValue]) -> KubeObject {
        var slice = KubeObject(.endpointslices, namespace: "kiada", name: "mine")
        slice.json["addressType"] = "IPv4"
        slice.json["endpoints"] = [["addresses": ["192.0.2.1"]]]
        for (key, value) in fields { slice.json[key] = value }
        return slice
    }

    private static func array(_ count: Int, _ element: (Int) -> JSONValue) -> JSONValue {
        .array((0..<count).map(element))
    }

    @Test("a port without name and protocol has an empty one and TCP")
    func defaults() throws {
        let made = try store.create(
            Self.slice(["ports": [["port": 80], ["name": "b", "port": 81, "protocol": "UDP"]]]))
        #expect(
            made.json["ports"]
                == [["name": "", "port": 80, "protocol": "TCP"], ["name": "b", "port": 81, "protocol": "UDP"]])
        #expect(made.generation == 1)
    }

    @Test(
        "what is refused, word for word",
        arguments: [
            (["addressType": ""], "addressType: Required value"),
            (
                ["addressType": "IP"],
                #"addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6""#
            ),
            (["endpoints": [[:]]], "endpoints[0].addresses: Required value: must contain at least 1 address"),
            (
                ["endpoints": [["addresses": ["fd00::1"]]]],
                #"endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address"#
            ),
            (
                ["endpoints": [["addresses": ["192.0.2.1", "127.0.0.1"]]]],
                #"endpoints[0].addresses[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#
            ),
            (
                ["endpoints": Self.array(1001) { _ in ["addresses": ["192.0.2.1"]] }],
                "endpoints: Too many: 1001: must have at most 1000 items"
            ),
            (
                ["endpoints": [["addresses": Self.array(101) { .string("10.0.0.\($0)") }]]],
                "endpoints[0].addresses: Too many: 101: must have at most 100 items"
            ),
            (
                ["ports": Self.array(20001) { ["name": .string("p\($0)"), "port": 80] }],
                "ports: Too many: 20001: must have at most 20000 items"
            ),
            (
                ["ports": [["port": 80], ["port": 81]]], #"ports[1].name: Duplicate value: """#
            ),
            (
                ["ports": [["port": 80, "protocol": "tcp"]]],
                #"ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP""#
            ),
            (
                ["endpoints": [["addresses": ["192.0.2.1"], "hostname": "a.b"]]],
                #"endpoints[0].hostname: Invalid value: "a.b": must not contain dots"#
            ),
            (
                [
                    "endpoints": [
                        [
                            "addresses": ["192.0.2.1"],
                            "hints": ["forZones": Self.array(9) { ["name": .string("z\($0)")] }],
                        ]
                    ]
                ],
                "endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"
            ),
        ] as [([String: JSONValue], String)])
    func refused(fields: [String: JSONValue], message: String) {
        let error = #expect(throws: APIError.self) { try store.create(Self.slice(fields)) }
        #expect(error?.message == "EndpointSlice.discovery.k8s.io \"mine\" is invalid: \(message)")
    }

    @Test("the address type is for life; names are an address type, too; 1.3 the generation counts what the slice says")
    func updates() throws {
        _ = try store.create(Self.slice([:]))
        let error = #expect(throws: APIError.self) {
            try store.update(Self.slice(["addressType": "IPv6", "endpoints": [["addresses": ["fd00::1"]]]]))
        }
        #expect(
            error?.message
                == #"EndpointSlice.discovery.k8s.io "mine" is invalid: addressType: Invalid value: "IPv6": field is immutable"#
        )
        var named = Self.slice(["addressType": "FQDN", "endpoints": [["addresses": ["a.example"]]]])
        named.name = "names"
        #expect(throws: Never.self) { try store.create(named) }
        var changed = Self.slice([:])
        changed.annotations = ["a": "b"]
        #expect(try store.update(changed).generation == 1)
        changed.labels = ["a": "b"]
        #expect(try store.update(changed).generation == 2)
    }

    @Test("where pods have loopback addresses, endpoints may be programs of this machine; elsewhere they may not")
    func loopback() throws {
        let native = [try #require(CIDR("127.244.0.0/16"))]
        let container = [try #require(CIDR("10.96.128.0/17"))]
        for (text, ranges, isRight) in [
            ("127.0.0.1", native, true), ("127.244.0.7", native, true), ("0.0.0.0", native, false),
            ("127.0.0.1", container, false), ("127.0.0.1", [], false), ("10.96.128.7", container, true),
        ] {
            #expect(AddressRules.errors(of: text, at: "ip", podRanges: ranges).isEmpty == isRight, "\(text) \(ranges)")
        }
    }
}
