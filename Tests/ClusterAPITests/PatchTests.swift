import ClusterAPI
import ClusterModel
import Testing

@Suite("Patches (kubectl-wire 8)")
struct PatchTests {
    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test(
        "RFC 7386, appendix A",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func mergePatch(target: String, patch: String, expected: String) throws {
        #expect(MergePatch.apply(try json(patch), to: try json(target)) == (try json(expected)))
    }

    @Test(
        "RFC 6902, appendix A",
        arguments: [
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
            (
                #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
                #"{"foo":["bar","qux","baz"]}"#
            ),
            (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
            (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
            (#"{"baz":"qux"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo"}"#),
            (
                #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
            ),
            (
                #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
                #"{"foo":["all","cows","eat","grass"]}"#
            ),
            (#"{"baz":"qux"}"#, #"[{"op":"test","path":"/baz","value":"qux"}]"#, #"{"baz":"qux"}"#),
            (
                #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
                #"{"foo":["bar",["abc","def"]]}"#
            ),
            (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
            (#"{"a":1}"#, #"[{"op":"copy","from":"/a","path":"/b"}]"#, #"{"a":1,"b":1}"#),
        ])
    func jsonPatch(target: String, patch: String, expected: String) throws {
        #expect(try JSONPatch.apply(try json(patch), to: try json(target)) == (try json(expected)))
    }

    @Test(
        "operations that cannot be",
        arguments: [
            #"[{"op":"test","path":"/a","value":2}]"#, #"[{"op":"remove","path":"/b"}]"#,
            #"[{"op":"add","path":"/b/c","value":1}]"#,
            #"[{"op":"add","path":"/l/3","value":1}]"#, #"[{"op":"add","path":"/l/01","value":1}]"#,
            #"[{"op":"jump","path":"/a"}]"#,
            #"{"op":"add"}"#, #"[{"op":"add","path":"a","value":1}]"#, #"[{"op":"move","from":"/m","path":"/m/x"}]"#,
        ])
    func jsonPatchFailures(patch: String) throws {
        let target = try json(#"{"a":1,"l":[1,2],"m":{}}"#)
        #expect(throws: JSONPatch.Failure.self) { try JSONPatch.apply(try json(patch), to: target) }
    }

    @Test("seen: apply that moves port 80 to 8081")
    func movedPort() throws {
        let stored = try json(
            #"{"spec":{"ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":80},{"name":"metrics","port":9090,"protocol":"TCP"}]}}"#
        )
        let patch = try json(
            #"{"spec":{"$setElementOrder/ports":[{"port":8081},{"port":9090}],"ports":[{"name":"http","port":8081,"protocol":"TCP","targetPort":80},{"name":"metrics","port":9090},{"$patch":"delete","port":80}]}}"#
        )
        let expected = try json(
            #"{"spec":{"ports":[{"name":"http","port":8081,"protocol":"TCP","targetPort":80},{"name":"metrics","port":9090,"protocol":"TCP"}]}}"#
        )
        #expect(try StrategicMergePatch.apply(patch, to: stored) == expected)
    }

    @Test(
        "maps merge, null removes, lists without a key are replaced, directives are never stored",
        arguments: [
            (
                #"{"spec":{"selector":{"app":"quiz","rel":"stable"}}}"#, #"{"spec":{"selector":{"rel":null}}}"#,
                #"{"spec":{"selector":{"app":"quiz"}}}"#
            ),
            (#"{"subsets":[{"a":1}]}"#, #"{"subsets":[{"b":2}]}"#, #"{"subsets":[{"b":2}]}"#),
            (
                #"{"spec":{"a":{"b":1,"c":2}}}"#, #"{"spec":{"a":{"$patch":"replace","d":3}}}"#,
                #"{"spec":{"a":{"d":3}}}"#
            ),
            (#"{"spec":{"a":{"b":1},"c":2}}"#, #"{"spec":{"a":{"$patch":"delete"}}}"#, #"{"spec":{"c":2}}"#),
            (
                #"{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}]}}"#,
                #"{"spec":{"containers":[{"name":"b","image":"z"},{"name":"c","image":"w"}]}}"#,
                #"{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"z"},{"name":"c","image":"w"}]}}"#
            ),
            (
                #"{"spec":{"containers":[{"name":"a"}]}}"#,
                #"{"spec":{"containers":[{"$patch":"replace"},{"name":"b"}]}}"#,
                #"{"spec":{"containers":[{"name":"b"}]}}"#
            ),
            (
                #"{"metadata":{"finalizers":["a","b"]}}"#,
                #"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}}"#,
                #"{"metadata":{"finalizers":["b","c"]}}"#
            ),
            (
                #"{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}"#,
                #"{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}"#, #"{"strategy":{"type":"Recreate"}}"#
            ),
        ])
    func strategic(target: String, patch: String, expected: String) throws {
        #expect(try StrategicMergePatch.apply(try json(patch), to: try json(target)) == (try json(expected)))
    }

    @Test("an item without its key and an unknown directive are refused")
    func strategicFailures() throws {
        let target = try json(#"{"spec":{"ports":[{"port":80}]}}"#)
        for patch in [#"{"spec":{"ports":[{"name":"x"}]}}"#, #"{"spec":{"$bogus":1}}"#, "[]"] {
            #expect(throws: StrategicMergePatch.Failure.self) {
                try StrategicMergePatch.apply(try json(patch), to: target)
            }
        }
    }

    @Test("random patches on random objects: an answer or a refusal, never a crash; no directive is ever stored")
    func fuzz() {
        var random = Seeded(state: 42)
        for _ in 0..<30_000 {
            let target = Self.randomValue(&random, depth: 4, directives: false)
            let patch = Self.randomValue(&random, depth: 4, directives: true)
            _ = MergePatch.apply(patch, to: target)
            _ = try? JSONPatch.apply(patch, to: target)
            if let result = try? StrategicMergePatch.apply(patch, to: target) {
                #expect(!Self.hasDirective(result), "\(patch.serializedText()) on \(target.serializedText())")
            }
        }
    }

    @Test("a merge patch of the difference leads from any object to any other, and again changes nothing")
    func mergeModel() {
        for seed in UInt64(0)..<3000 {
            var random = Seeded(state: seed)
            let (old, new) = (Self.randomObject(&random), Self.randomObject(&random))
            let patch = Self.difference(old, new)
            let result = MergePatch.apply(patch, to: old)
            #expect(result == new, "seed \(seed)")
            #expect(MergePatch.apply(patch, to: result) == new, "seed \(seed)")
        }
    }

    /// The merge patch that leads from one object without nulls to another.
    private static func difference(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        guard let (olds, news) = Optional((old.objectValue, new.objectValue)), let olds, let news else { return new }
        var patch: [String: JSONValue] = [:]
        for key in Set(olds.keys).union(news.keys) where olds[key] != news[key] {
            guard let member = news[key] else {
                patch[key] = .null
                continue
            }
            let before = olds[key] ?? .null
            patch[key] =
                member.objectValue == nil ? member : difference(before.objectValue == nil ? [:] : before, member)
        }
        return .object(patch)
    }

    private static func randomObject(_ random: inout Seeded) -> JSONValue {
        func withoutNulls(_ value: JSONValue) -> JSONValue {
            guard let members = value.objectValue else { return value == .null ? 0 : value }
            return .object(members.mapValues(withoutNulls))
        }
        return withoutNulls(.object(["spec": randomValue(&random, depth: 4, directives: false)]))
    }

    @Test("JSON patches of random operations do what a naive model of a tree does, all or nothing")
    func jsonModel() {
        for seed in UInt64(0)..<3000 {
            var random = Seeded(state: seed)
            let target = Self.randomObject(&random)
            let model = Node(target)
            var isPossible = true
            var operations: [JSONValue] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let paths = model.paths
                let path = paths.randomElement(using: &random) ?? []
                let other = paths.randomElement(using: &random) ?? []
                let value = Self.randomValue(&random, depth: 2, directives: false)
                let end = ["new", "0", "-", "7"].randomElement(using: &random) ?? ""
                var operation: JSONValue = ["path": .string(Self.pointer(path))]
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    operation = ["op": "add", "path": .string(Self.pointer(path + [end])), "value": value]
                    isPossible = isPossible && model.add(value, path + [end])
                case 1 where !path.isEmpty:
                    operation["op"] = "remove"
                    isPossible = isPossible && model.remove(path) != nil
                case 2 where !path.isEmpty:
                    operation["op"] = "replace"
                    operation["value"] = value
                    isPossible = isPossible && model.remove(path) != nil && model.add(value, path)
                case 3 where !path.isEmpty && !other.starts(with: path):
                    operation = [
                        "op": "move", "from": .string(Self.pointer(path)), "path": .string(Self.pointer(other)),
                    ]
                    guard !other.isEmpty else { continue }
                    isPossible = isPossible && model.remove(path).map { model.add($0, other) } ?? false
                default:
                    operation = [
                        "op": "copy", "from": .string(Self.pointer(path)), "path": .string(Self.pointer(other + [end])),
                    ]
                    isPossible = isPossible && model.value(path).map { model.add($0, other + [end]) } ?? false
                }
                operations.append(operation)
            }
            let result = try? JSONPatch.apply(.array(operations), to: target)
            #expect(result == (isPossible ? model.json : nil), "seed \(seed): \(operations) on \(target)")
        }
    }

    private static func pointer(_ path: [String]) -> String { path.map { "/\($0)" }.joined() }

    @Test("a patch that copies a document into itself, or piles values up, is refused before it grows")
    func bombs() throws {
        let doubles = (0..<64).map { ["op": "copy", "from": "", "path": .string("/a\($0)")] as JSONValue }
        let chain = try json(#"{"op":"copy","from":"/a","path":"/a/a"}"#)
        #expect(throws: JSONPatch.Failure.self) {
            try JSONPatch.apply(.array(doubles), to: ["x": 1])
        }
        #expect(throws: JSONPatch.Failure.self) {
            try JSONPatch.apply(.array(Array(repeating: chain, count: 200)), to: ["a": [:]])
        }
        let deep = (0..<120).map { level -> JSONValue in
            ["op": "add", "path": .string(String(repeating: "/a", count: level + 1)), "value": [:]]
        }
        #expect(throws: JSONPatch.Failure.self) { try JSONPatch.apply(.array(deep), to: [:]) }
        #expect(try JSONPatch.apply(.array(Array(deep.prefix(90))), to: [:]) != [:])
    }

    private static func randomValue(_ random: inout Seeded, depth: Int, directives: Bool) -> JSONValue {
        let keys = [
            "spec", "ports", "port", "name", "containers", "metadata", "finalizers", "op", "path", "value", "from",
        ]
        let marks = ["$patch", "$setElementOrder/ports", "$retainKeys", "$deleteFromPrimitiveList/finalizers"]
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .null
        case 1: return .integer(Int64.random(in: -1...90, using: &random))
        case 2:
            return .string(
                ["add", "remove", "replace", "delete", "/spec", "/ports/0", "/-", ""].randomElement(using: &random)
                    ?? "")
        case 3: return .bool(Bool.random(using: &random))
        case 4, 5: return .object([:])
        case 6:
            return .array(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    randomValue(&random, depth: depth - 1, directives: directives)
                })
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let names = directives && Int.random(in: 0..<4, using: &random) == 0 ? marks : keys
                members[names.randomElement(using: &random) ?? "spec"] = randomValue(
                    &random, depth: depth - 1, directives: directives)
            }
            return .object(members)
        }
    }

    private static func hasDirective(_ value: JSONValue) -> Bool {
        if let list = value.arrayValue { return list.contains(where: hasDirective) }
        return (value.objectValue ?? [:]).contains { $0.key.hasPrefix("$") || hasDirective($0.value) }
    }
}
