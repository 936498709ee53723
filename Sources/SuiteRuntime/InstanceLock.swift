import FoundationEssentials
import Glibc

/// Makes sure that one suite runs per state folder, and tells who it is.
///
/// The kernel drops the lock with the process, so a crash leaves nothing that has to be cleared.
package struct InstanceLock: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Takes the lock of `directory` for this process.
    ///
    /// - Throws: ``SuiteError`` that names the process which holds it.
    package init(_ directory: StateDirectory) throws(SuiteError) {
        path = directory.lockFile
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SuiteError("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            let holder = Self.holder(of: directory).map { " (process \($0))" } ?? ""
            throw SuiteError(
                "a suite already runs with the state folder \(directory.path)\(holder). "
                    + "Stop it with `kiada-suite down --state-dir \(directory.path)`, or choose another folder.")
        }
        let text = "\(getpid())\n"
        ftruncate(descriptor, 0)
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
    }

    deinit {
        ftruncate(descriptor, 0)
        close(descriptor)
    }

    /// The process that holds the lock; nil when nobody does.
    package static func holder(of directory: StateDirectory) -> Int32? {
        let descriptor = open(directory.lockFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &buffer, buffer.count)
        let digits = buffer.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return Int32(String(decoding: digits, as: UTF8.self))
    }
}
