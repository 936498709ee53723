import ClusterModel
import Testing

@testable import ClusterAPI

@Suite("What goes over the wire")
struct WireTests {
    @Test("kubectl-wire 8: the recorded body of `create cm conf --from-literal=a=b`")
    func protobuf() throws {
        let body = bytes(
            "6b3873000a0f0a0276311209436f6e6669674d6170121e0a140a04636f6e6612001a0022002a0032003800420012060a01611201621a002200"
        )
        #expect(
            try ProtobufDecoder.object(from: body) == [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "conf"], "data": ["a": "b"],
            ])
    }

    @Test("protobuf that is cut off anywhere is refused or shorter, never a crash")
    func truncated() {
        let body = bytes(
            "6b3873000a0f0a0276311209436f6e6669674d6170121e0a140a04636f6e6612001a0022002a0032003800420012060a01611201621a002200"
        )
        for count in 0..<body.count { _ = try? ProtobufDecoder.object(from: Array(body.prefix(count))) }
        #expect(throws: ProtobufDecoder.Failure.self) { try ProtobufDecoder.object(from: []) }
    }

    @Test(
        "paths",
        arguments: [
            ("/api/v1/pods", "pods", "", nil, nil),
            ("/api/v1/namespaces/kiada/pods/quiz", "pods", "kiada", "quiz", nil),
            ("/api/v1/namespaces/kiada", "namespaces", "", "kiada", nil),
            ("/api/v1/namespaces/kiada/status", "namespaces", "", "kiada", "status"),
            ("/api/v1/namespaces/kiada/pods/quiz/log", "pods", "kiada", "quiz", "log"),
            ("/apis/discovery.k8s.io/v1/namespaces/kiada/endpointslices", "endpointslices", "kiada", nil, nil),
            ("/api/v1/nodes/a%2Fb", "nodes", "", "a/b", nil),
        ] as [(String, String, String, String?, String?)])
    func paths(path: String, resource: String, namespace: String, name: String?, subresource: String?) throws {
        let found = try #require(ResourcePath(path))
        #expect(found.resource.name == resource && found.namespace == namespace)
        #expect(found.name == name && found.subresource == subresource)
    }

    @Test(
        "paths of nothing",
        arguments: [
            "/api/v2/pods", "/api/v1/foos", "/api/v1/namespaces/kiada/nodes/x", "/api/v1/pods/quiz",
            "/apis/batch/v1/jobs",
            "/api/v1/namespaces/kiada/services/quote/log", "/api/v1/namespaces/a/pods/b/log/c", "/",
        ])
    func noPaths(path: String) { #expect(ResourcePath(path) == nil) }

    @Test("K22 unknown fields are found where they are, and only there")
    func strictFields() throws {
        let json = try JSONValue(
            parsing:
                #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"x","labels":{"any":"thing"}},"spec":{"foo":1,"ports":[{"port":80,"bar":2}],"selector":{"free":"text"}}}"#
        )
        let object = KubeObject(json)
        let unknown = try StrictFields.unknown(in: object)
        #expect(unknown == ["spec.foo", "spec.ports[0].bar"])
        #expect(try StrictFields.unknown(in: StrictFields.removing(unknown, from: object)).isEmpty)
    }

    @Test(
        "wrong types are named as the API server's decoder does",
        arguments: [
            (
                "Service", #"{"ports":[{"port":"80"}]}"#,
                "string into Go struct field ServicePort.spec.ports.port of type int32"
            ),
            (
                "Service", #"{"ports":{}}"#,
                "object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort"
            ),
            (
                "Service", #"{"selector":{"a":1}}"#,
                "number into Go struct field ServiceSpec.spec.selector of type string"
            ),
            ("Service", "[]", "array into Go struct field Service.spec of type v1.ServiceSpec"),
            (
                "Service", #"{"ports":[{"port":1.5}]}"#,
                "number 1.5 into Go struct field ServicePort.spec.ports.port of type int32"
            ),
            ("Service", #"{"ports":[{"targetPort":true}]}"#, "bool into Go value of type int32"),
            (
                "Service", #"{"publishNotReadyAddresses":"no"}"#,
                "string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool"
            ),
            (
                "Pod", #"{"containers":[{"env":[{"name":"a","value":1}]}]}"#,
                "number into Go struct field EnvVar.spec.containers.env.value of type string"
            ),
            (
                "Pod", #"{"terminationGracePeriodSeconds":"5"}"#,
                "string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64"
            ),
        ])
    func wrongTypes(kind: String, spec: String, expected: String) throws {
        let json: JSONValue = ["apiVersion": "v1", "kind": .string(kind), "spec": try JSONValue(parsing: spec)]
        let error = #expect(throws: StrictFields.WrongType.self) { try StrictFields.unknown(in: KubeObject(json)) }
        #expect(error?.description == "json: cannot unmarshal \(expected)")
    }

    @Test(
        "base64 that is none is told by its place, as Go counts",
        arguments: [
            ("", nil), ("aGk=", nil), ("aGVsbG8h", nil), ("aGk=\n", nil), ("aA==", nil), ("aA=\n=", nil),
            ("not base64!", 3), ("abc", 0), ("aGVsb", 4), ("=", 0), ("aA=x", 3), ("aA=", 3), ("aGk=x", 4),
        ] as [(String, Int?)])
    func base64(text: String, place: Int?) { #expect(SettingsEncoding.firstProblem(in: text) == place) }

    @Test("every kind that is served has a schema, and every field a sentence")
    func schemas() {
        for resource in ServedResource.served where resource.type?.group == resource.group {
            #expect(Schema.shared.definitions[resource.kind]?.apiVersion == resource.groupVersion, "\(resource.kind)")
        }
        for definition in Schema.shared.definitions.values {
            #expect(!definition.description.isEmpty)
            for field in definition.fields {
                #expect(!field.description.isEmpty, "\(definition.name).\(field.name)")
                var type = field.type
                while case .list(let element) = type { type = element }
                if case .named(let name) = type { #expect(Schema.shared.definitions[name] != nil, "\(name)") }
            }
        }
    }

    @Test("K14, K15 cells of endpoints are cut after three")
    func endpointCells() throws {
        let subsets: JSONValue = [
            ["addresses": [["ip": "1.1.1.1"], ["ip": "2.2.2.2"]], "ports": [["name": "http", "port": 88]]]
        ]
        var object = KubeObject(.endpoints, namespace: "kiada", name: "x")
        object.json["subsets"] = subsets
        #expect(EndpointCells.endpoints(object) == "1.1.1.1:88,2.2.2.2:88")
        #expect(EndpointCells.endpoints(KubeObject(.endpoints, namespace: "kiada", name: "x")) == "<none>")
        var slice = KubeObject(.endpointslices, namespace: "kiada", name: "x")
        slice.json["endpoints"] = .array(["a", "b", "c", "d"].map { ["addresses": [.string($0)]] })
        #expect(EndpointCells.sliceAddresses(slice) == "a,b,c + 1 more...")
        #expect(EndpointCells.slicePorts(slice) == "<unset>")
    }

    @Test("K13 cells of Services")
    func serviceCells() throws {
        func cells(_ spec: String, status: String = "{}") throws -> [String] {
            var object = KubeObject(.services, namespace: "kiada", name: "kiada")
            object.json["spec"] = try JSONValue(parsing: spec)
            object.json["status"] = try JSONValue(parsing: status)
            return ServiceCells.cells(object, age: "1s")
        }
        #expect(
            try cells(
                #"{"type":"NodePort","clusterIP":"10.96.0.1","ports":[{"port":80,"nodePort":30080},{"port":443,"nodePort":30443}]}"#
            )
                == ["NodePort", "10.96.0.1", "<none>", "80:30080/TCP,443:30443/TCP", "1s", "<none>"])
        #expect(try cells(#"{"type":"LoadBalancer","clusterIP":"10.96.0.1","ports":[{"port":80}]}"#)[2] == "<pending>")
        #expect(
            try cells(#"{"type":"ExternalName","externalName":"worldtimeapi.org"}"#)
                == ["ExternalName", "<none>", "worldtimeapi.org", "<none>", "1s", "<none>"])
        #expect(try cells(#"{"clusterIP":"None","selector":{"b":"2","a":"1"}}"#)[5] == "a=1,b=2")
    }

    @Test(
        "1.3 times with any offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-24T11:15:39+00:00", 1_795_518_939),
            ("2026-11-24T12:15:39.123+01:00", 1_795_518_939),
            ("2000-02-29T23:59:59Z", 951_868_799),
        ] as [(String, Int64)])
    func times(text: String, seconds: Int64) {
        #expect(Timestamp.unixSeconds(of: text) == seconds)
        #expect(Timestamp.unixSeconds(of: Timestamp.text(unixSeconds: seconds)) == seconds)
    }

    @Test(
        "texts that are no times",
        arguments: ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-24T11:15:39", "2026-11-24 11:15"])
    func noTimes(text: String) { #expect(Timestamp.unixSeconds(of: text) == nil) }
}
