import FoundationEssentials
import Glibc
import NetTypes

/// Gives a container what the kubelet would give it, and then becomes its program.
///
/// The pod's name comes from the engine's resolver, since compose has no host name per replica; the rest from the file
/// that the service proxy keeps for the namespace.
package enum PodLauncher {
    /// A failure in words for the user.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Replaces this process; returns only by throwing.
    ///
    /// - Parameters:
    ///   - file: lines `NAME=value`; nil or a missing file gives none.
    ///   - hasServiceLinks: false leaves out the variables of all Services but `kubernetes` (semantics 5.1).
    package static func run(
        _ command: [String], file: String?, hasServiceLinks: Bool, environment: [String: String]
    ) async throws(Failure) -> Never {
        let address = environment["POD_IP"].flatMap { IPAddress($0) } ?? ownAddress()
        let text = file.flatMap { try? String(contentsOf: URL(filePath: $0), encoding: .utf8) } ?? ""
        let variables = variables(
            environment: environment, file: text, hasServiceLinks: hasServiceLinks, address: address,
            name: environment["POD_NAME"] == nil ? await ownName(address) : nil)
        var arguments = command.map { strdup($0) } + [nil]
        var values = variables.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + values { free(pointer) } }
        let path = program(command[0], searchPath: variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        execve(path, &arguments, &values)
        throw Failure(description: "cannot start \(command[0]): \(String(cString: strerror(errno)))")
    }

    /// What the program is to see: the container's own variables win over generated ones (semantics 5.4).
    static func variables(
        environment: [String: String], file: String, hasServiceLinks: Bool, address: IPAddress?, name: String?
    ) -> [String: String] {
        var result: [String: String] = [:]
        for line in file.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let key = String(line[..<equals])
            let isLink = key.contains("_SERVICE_") || key.contains("_PORT")
            if isLink, !hasServiceLinks, !key.hasPrefix("KUBERNETES_") { continue }
            result[key] = String(line[line.index(after: equals)...])
        }
        result["POD_NAME"] = name
        result["POD_IP"] = address?.description
        // An empty variable in a compose file means: not set.
        return result.merging(environment.filter { !$0.value.isEmpty }) { _, own in own }
    }

    private static func ownName(_ address: IPAddress?) async -> String? {
        guard let address,
            let text = try? String(contentsOf: URL(filePath: "/etc/resolv.conf"), encoding: .utf8),
            let resolver = EngineResolver(resolvConf: text)
        else { return nil }
        // Podman tells its resolver of a container only after that has started.
        for _ in 0..<30 {
            if let pointers = try? await resolver.pointers(of: address),
                let name = ContainerName.pod(pointers: pointers)
            {
                return name
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }

    /// The first address that others can reach, IPv4 before IPv6.
    static func ownAddress() -> IPAddress? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        var found: [IPAddress] = []
        for entry in sequence(first: list, next: { $0?.pointee.ifa_next }) {
            guard let entry = entry?.pointee, let address = entry.ifa_addr, entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0
            else { continue }
            if Int32(address.pointee.sa_family) == AF_INET {
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                    found.append(.v4(IPv4Address(bits: UInt32(bigEndian: pointer.pointee.sin_addr.s_addr))))
                }
            }
        }
        return found.first
    }

    private static func program(_ name: String, searchPath: String) -> String {
        if name.contains("/") { return name }
        return searchPath.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } ?? name
    }
}
