import Glibc

/// Makes sure that one suite of this machine uses a block of addresses.
///
/// A socket with an abstract name: it goes with the process, so a crash leaves nothing behind.
struct AddressClaim: ~Copyable {
    private let descriptor: Int32

    /// - Parameter block: as for `--address-block`; nil for the usual addresses.
    /// - Throws: when another suite has them.
    init(block: UInt8?) throws(SuiteError) {
        let name = "kiada-suite/\(block.map(String.init) ?? "default")"
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // An abstract name begins with a zero byte.
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.utf8.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else {
            let isTaken = errno == EADDRINUSE
            close(descriptor)
            let range = block.map { "127.\($0).0.0/16" } ?? "127.96.0.0/16"
            throw SuiteError(
                isTaken
                    ? "another suite on this machine uses the addresses \(range). Stop it with `kiada-suite down` and its "
                        + "--state-dir, or move this one with --address-block N."
                    : "cannot claim the addresses \(range): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }
}
