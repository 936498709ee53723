import ClusterModel
import Testing

@Suite("Which nodes a pod may have")
struct SchedulingTests {
    private func required(_ terms: JSONValue) -> NodeAffinity {
        NodeAffinity([
            "affinity": [
                "nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": terms]]
            ]
        ])
    }

    @Test(
        "each operator",
        arguments: [
            ("In", ["a", "b"], true, false), ("NotIn", ["a"], false, true), ("Exists", [], true, false),
            ("DoesNotExist", [], false, true), ("Gt", ["3"], false, false), ("Else", ["a"], false, false),
        ] as [(String, [String], Bool, Bool)])
    func operators(name: String, values: [String], whenA: Bool, whenMissing: Bool) {
        let affinity = required([
            [
                "matchExpressions": [
                    ["key": "k", "operator": .string(name), "values": .array(values.map { .string($0) })]
                ]
            ]
        ])
        #expect(affinity.allows(name: "n", labels: ["k": "a"]) == whenA)
        #expect(affinity.allows(name: "n", labels: [:]) == whenMissing)
    }

    @Test("numbers are compared as numbers")
    func numbers() {
        func allows(_ comparison: String, _ label: String) -> Bool {
            required([
                ["matchExpressions": [["key": "cpus", "operator": .string(comparison), "values": ["9"]]]]
            ]).allows(name: "n", labels: ["cpus": label])
        }
        #expect(allows("Gt", "10") && !allows("Gt", "9"))
        #expect(allows("Lt", "8") && !allows("Lt", "10"))
    }

    @Test("one of the terms has to match with all its requirements; an empty term matches nothing; fields are the name")
    func terms() {
        let affinity = required([
            [:], ["matchExpressions": [["key": "a", "operator": "Exists"], ["key": "b", "operator": "Exists"]]],
            ["matchFields": [["key": "metadata.name", "operator": "In", "values": ["n7"]]]],
        ])
        #expect(!affinity.allows(name: "n", labels: [:]) && !affinity.allows(name: "n", labels: ["a": ""]))
        #expect(affinity.allows(name: "n", labels: ["a": "", "b": ""]) && affinity.allows(name: "n7", labels: [:]))
        #expect(NodeAffinity(nil).allows(name: "n", labels: [:]))
    }

    @Test("nodeSelector and affinity both have to hold; preferences add up")
    func preferences() {
        let affinity = NodeAffinity([
            "nodeSelector": ["disk": "ssd"],
            "affinity": [
                "nodeAffinity": [
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        ["weight": 5, "preference": ["matchExpressions": [["key": "z", "operator": "Exists"]]]],
                        [
                            "weight": 2,
                            "preference": ["matchExpressions": [["key": "z", "operator": "In", "values": ["a"]]]],
                        ],
                    ]
                ]
            ],
        ])
        #expect(!affinity.allows(name: "n", labels: ["z": "a"]))
        #expect(affinity.allows(name: "n", labels: ["disk": "ssd"]))
        #expect(affinity.preference(name: "n", labels: ["z": "a"]) == 7)
        #expect(affinity.preference(name: "n", labels: ["z": "b"]) == 5)
    }

    @Test(
        "tolerations: by key and value, by key, of all, of one effect",
        arguments: [
            (["key": "k", "value": "v", "effect": "NoSchedule"], true), (["key": "k", "value": "w"], false),
            (["key": "k", "operator": "Exists"], true), (["operator": "Exists"], true),
            (["key": "k", "operator": "Equal", "value": "v"], true),
            (["key": "k", "operator": "Exists", "effect": "NoExecute"], false), (["key": "k"], false),
        ] as [(JSONValue, Bool)])
    func tolerations(json: JSONValue, tolerates: Bool) {
        let taint = Taint(key: "k", value: "v", effect: .noSchedule)
        #expect(Toleration(json).tolerates(taint) == tolerates)
    }
}
