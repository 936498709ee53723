/// What a compose engine's resolver calls containers, and what pods are called after them.
///
/// The PTR record of a container is `PROJECT-SERVICE-N.PROJECT_NETWORK.` with Docker; Podman has several, of which one ends
/// in `-N`.
package enum ContainerName {
    /// `quote-2` for `kiada-quote-2.kiada_cluster.`; nil when none of `pointers` can be a pod's name.
    ///
    /// The project is taken from the network's name, else from `service`, which may be among `pointers`. A container
    /// with a name of its own keeps it.
    package static func pod(pointers: [String], service: String? = nil) -> String? {
        let others = pointers.filter { !endsInNumber($0) }
        let services = service.map { [$0] } ?? others.map { String($0.prefix { $0 != "." }) }
        return (pointers.filter(endsInNumber) + others).lazy.compactMap { pod(pointer: $0, services: services) }.first
    }

    private static func pod(pointer: String, services: [String]) -> String? {
        let parts = pointer.split(separator: ".", maxSplits: 1)
        guard let container = parts.first else { return nil }
        var name = container.lowercased().map { $0 == "_" ? "-" : $0 }[...]
        let network = parts.count > 1 ? parts[1].prefix { $0 != "." } : ""
        if let end = network.lastIndex(of: "_") {
            let project = network[..<end].lowercased().map { $0 == "_" ? "-" : $0 } + "-"
            if name.starts(with: project), name.count > project.count { name = name.dropFirst(project.count) }
        } else if let (service, end) = services.lazy.compactMap({ service in
            String(name).firstRange(of: "-\(service)-").map { (service, $0.upperBound) }
        }).first {
            name = Array("\(service)-" + String(name)[end...])[...]
        }
        let text = String(name)
        return isLabel(text) ? text : nil
    }

    private static func endsInNumber(_ pointer: String) -> Bool {
        let container = pointer.prefix { $0 != "." }
        guard let dash = container.lastIndex(where: { $0 == "-" || $0 == "_" }) else { return false }
        let number = container[container.index(after: dash)...]
        return !number.isEmpty && number.allSatisfy(\.isWholeNumber)
    }

    private static func isLabel(_ text: String) -> Bool {
        func isPlain(_ character: Character) -> Bool {
            character.isASCII && (character.isLowercase || character.isNumber)
        }
        guard let first = text.first, let last = text.last, text.count <= 63 else { return false }
        return isPlain(first) && isPlain(last) && text.allSatisfy { isPlain($0) || $0 == "-" }
    }
}
