package import ClusterModel
import FoundationEssentials

/// Why a container has no process to start, with the reason that its status shows.
package struct ContainerCommandError: Error, Equatable, CustomStringConvertible {
    package let reason: String
    package let description: String
}

/// Turns a container's image, command, args and mounts into a process of this machine.
package struct ContainerCommand: Sendable {
    package let program: String
    package let arguments: [String]
    package let environment: [(name: String, value: String)]

    /// - Parameters:
    ///   - places: where each volume of the pod is on this machine; nil when they are at their mount paths.
    ///   - environment: made by ``ContainerEnvironment``.
    package init(
        _ container: ContainerSpec, image: ImageMap.Program, environment: [(name: String, value: String)],
        places: [String: String]?, configuration: PodRuntimeConfiguration
    ) throws(ContainerCommandError) {
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        func expanded(_ text: String) -> String { VariableExpansion.expand(text) { values[$0] } }
        let mounts = container.places(places ?? [:])
        func local(_ text: String) -> String { Self.localised(text, mounts: mounts) }

        let name: String
        let command = image.replacesCommand ? [] : container.command
        var arguments = image.replacesCommand ? [] : container.args.map(expanded)
        if let first = command.first {
            name = local(expanded(first))
            arguments = command.dropFirst().map(expanded) + arguments
        } else {
            name = image.program
            if arguments.isEmpty { arguments = image.arguments.map(expanded) }
        }
        // A path may lead into a volume, which only the container sees.
        program =
            places == nil && name.hasPrefix("/") ? name : try Self.program(name, of: container, in: configuration)
        self.arguments =
            places == nil || !Self.isShell(name)
            ? arguments.map(local) : Self.localised(shellArguments: arguments, mounts: mounts)
        self.environment = environment.map { ($0.name, local($0.value)) }
    }

    /// `text` with a leading mount path replaced by where the volume is: alone (`/data/x`) or behind the first `=`
    /// (`--data-dir=/data`).
    ///
    /// For containers that share the machine's file system, where a volume cannot be at its mount path.
    package static func localised(_ text: String, mounts: [(path: String, place: String)]) -> String {
        func replaced(_ value: Substring) -> String? {
            for mount in mounts.sorted(by: { $0.path.count > $1.path.count }) {
                if value == mount.path { return mount.place }
                if value.hasPrefix(mount.path + "/") { return mount.place + value.dropFirst(mount.path.count) }
            }
            return nil
        }
        if let whole = replaced(text[...]) { return whole }
        guard let equals = text.firstIndex(of: "="), let tail = replaced(text[text.index(after: equals)...]) else {
            return text
        }
        return text[...equals] + tail
    }

    private static func isShell(_ name: String) -> Bool {
        ["sh", "ash", "bash", "dash"].contains(name.split(separator: "/").last.map(String.init))
    }

    /// As ``localised(_:mounts:)``, and in the text behind `-c` each mount path that stands where a word begins.
    package static func localised(
        shellArguments arguments: [String], mounts: [(path: String, place: String)]
    ) -> [String] {
        arguments.enumerated().map { index, text in
            index > 0 && arguments[index - 1] == "-c"
                ? localised(script: text, mounts: mounts) : localised(text, mounts: mounts)
        }
    }

    private static func localised(script: String, mounts: [(path: String, place: String)]) -> String {
        let edges = Set(" \t\n\"'`;|&<>=:(){}")
        var result = ""
        var rest = script[...]
        while let character = rest.first {
            let isStart = result.last.map(edges.contains) ?? true
            let found = mounts.sorted { $0.path.count > $1.path.count }.first { mount in
                guard isStart, rest.hasPrefix(mount.path) else { return false }
                let next = rest.dropFirst(mount.path.count).first
                return next == nil || next == "/" || next.map(edges.contains) == true
            }
            if let found {
                result += found.place
                rest = rest.dropFirst(found.path.count)
            } else {
                result.append(character)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// The path of a program: itself if it has a slash, else beside our own programs, else on PATH.
    static func program(
        _ name: String, of container: ContainerSpec, in configuration: PodRuntimeConfiguration
    ) throws(ContainerCommandError) -> String {
        let folders = [configuration.programDirectory] + configuration.searchPath.split(separator: ":").map(String.init)
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        if let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) { return found }
        let places =
            name.contains("/") ? "" : " in \(configuration.programDirectory) or on PATH (\(configuration.searchPath))"
        throw ContainerCommandError(
            reason: "RunContainerError",
            description: "container \(container.name): there is no program \"\(name)\"\(places)")
    }
}

extension ContainerSpec {
    /// Where each of the container's mount paths really is, given the places of the pod's volumes.
    func places(_ volumes: [String: String]) -> [(path: String, place: String)] {
        mounts.compactMap { mount in
            guard let place = volumes[mount.volume] else { return nil }
            return (mount.path, mount.subPath.map { "\(place)/\($0)" } ?? place)
        }
    }
}
