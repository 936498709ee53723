import ClusterModel
import Testing

struct ValueSharingTests {
    @Test(
        "Sharing never changes an object's value, whatever its shape",
        arguments: [
            [
                "kind": "Pod", "metadata": ["name": "p", "labels": ["app": "a"]],
                "spec": ["containers": [["name": "c"]]],
            ],
            [
                "kind": "Pod", "metadata": ["labels": .null], "spec": .null,
                "status": ["conditions": [["type": "Ready"]]],
            ],
            [
                "endpoints": [["addresses": ["10.0.0.1"], "conditions": ["ready": true]], "odd"],
                "ports": [["port": 80]],
            ],
            ["endpoints": "none", "subsets": [["ports": [["port": 80]], "addresses": []], [:]], "spec": "text"],
            ["spec": ["a": ["b": [["c": 1], ["c": .number(1.5)], ["c": true]]]], "metadata": "none", "status": [1]],
            "text",
        ] as [JSONValue])
    func sameValue(json: JSONValue) {
        var sharing = ValueSharing()
        for _ in 0..<3 {
            var object = KubeObject(json)
            sharing.share(&object)
            #expect(object.json == json)
        }
    }
}
