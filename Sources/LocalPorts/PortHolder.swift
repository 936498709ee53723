package import ServiceRouting

#if os(Linux)
import FoundationEssentials
import Glibc
import NetTypes
#endif

#if os(Linux)
/// Finds out who listens on a port, from /proc.
package enum PortHolder {
    /// `haproxy (process 4711)`; nil when nobody is found or the process belongs to another user.
    package static func name(of frontend: Frontend) -> String? {
        // The kernel writes its tables in pieces: while sockets and descriptors come and go, one reading may miss a line.
        for _ in 0..<5 {
            let inodes = inodes(of: frontend)
            if !inodes.isEmpty, let holder = holder(of: inodes) { return holder }
        }
        return nil
    }

    private static func holder(of inodes: Set<String>) -> String? {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard Int32(entry) != nil else { continue }
            let folder = "/proc/\(entry)/fd"
            for descriptor in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard
                    let target = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "\(folder)/\(descriptor)"),
                    target.hasPrefix("socket:["), inodes.contains(String(target.dropFirst(8).dropLast()))
                else { continue }
                let command = text("/proc/\(entry)/comm").filter { !$0.isNewline }
                return "\(command.isEmpty ? "a process" : command) (process \(entry))"
            }
        }
        return nil
    }

    private static func inodes(of frontend: Frontend) -> Set<String> {
        let table = frontend.proto == .tcp ? "tcp" : "udp"
        var result: Set<String> = []
        for line in (text("/proc/net/\(table)") + text("/proc/net/\(table)6")).split(separator: "\n") {
            // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
            let fields = line.split(separator: " ")
            guard fields.count > 9, frontend.proto != .tcp || fields[3] == "0A" else { continue }
            let local = fields[1].split(separator: ":")
            guard local.count == 2, UInt16(local[1], radix: 16) == frontend.address.port,
                covers(local[0], frontend.address.address)
            else { continue }
            result.insert(String(fields[9]))
        }
        return result
    }

    /// The kernel prints each 32-bit word of an address as a number of this machine's byte order.
    private static func covers(_ text: Substring, _ address: IPAddress) -> Bool {
        if text.allSatisfy({ $0 == "0" }) { return true }
        guard text.count == address.octets.count * 2 else { return false }
        var octets: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return false }
            withUnsafeBytes(of: word) { octets += $0 }
            rest = rest.dropFirst(8)
        }
        return octets == address.octets
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) ?? ""
    }
}
#else
/// Finds out who listens on a port; nobody can be found on this system.
package enum PortHolder {
    package static func name(of frontend: Frontend) -> String? { nil }
}
#endif
