import ClusterModel

/// A small seeded generator, so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

/// A document as a tree that is changed in place: the plainest way to carry out JSON patches.
final class Node {
    private enum Content {
        case leaf(JSONValue)
        case list([Node])
        case map([String: Node])
    }
    private var content: Content

    init(_ json: JSONValue) {
        switch json {
        case .array(let items): content = .list(items.map(Node.init))
        case .object(let members): content = .map(members.mapValues(Node.init))
        default: content = .leaf(json)
        }
    }

    var json: JSONValue {
        switch content {
        case .leaf(let value): value
        case .list(let items): .array(items.map(\.json))
        case .map(let members): .object(members.mapValues(\.json))
        }
    }

    /// The ways to all values, in a fixed order.
    var paths: [[String]] {
        var children: [(String, Node)] = []
        switch content {
        case .leaf: break
        case .list(let items): children = items.enumerated().map { ("\($0.offset)", $0.element) }
        case .map(let members): children = members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        return [[]] + children.flatMap { name, node in node.paths.map { [name] + $0 } }
    }

    private func node(_ path: [String]) -> Node? {
        guard let step = path.first else { return self }
        let next: Node? =
            switch content {
            case .leaf: nil
            case .list(let items): Int(step).flatMap { items.indices.contains($0) ? items[$0] : nil }
            case .map(let members): members[step]
            }
        return next?.node(Array(path.dropFirst()))
    }

    func value(_ path: [String]) -> JSONValue? { node(path)?.json }

    func add(_ value: JSONValue, _ path: [String]) -> Bool {
        guard let last = path.last, let parent = node(path.dropLast()) else { return false }
        switch parent.content {
        case .leaf: return false
        case .list(var items):
            guard let index = last == "-" ? items.count : Int(last), index <= items.count else { return false }
            items.insert(Node(value), at: index)
            parent.content = .list(items)
        case .map(var members):
            members[last] = Node(value)
            parent.content = .map(members)
        }
        return true
    }

    func remove(_ path: [String]) -> JSONValue? {
        guard let last = path.last, let parent = node(path.dropLast()), let gone = node(path) else { return nil }
        switch parent.content {
        case .leaf: return nil
        case .list(var items):
            guard let index = Int(last) else { return nil }
            items.remove(at: index)
            parent.content = .list(items)
        case .map(var members):
            members[last] = nil
            parent.content = .map(members)
        }
        return gone.json
    }
}
