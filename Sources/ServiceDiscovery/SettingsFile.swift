import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A small text file of the system and what was made of it, read again when it changes.
///
/// A file that is missing, or larger than 64 KiB, counts as empty, as for the system's own resolver.
final class SettingsFile<Content: Sendable>: Sendable {
    private struct State: Sendable {
        var version: Version?
        var content: Content
    }

    private struct Version: Equatable, Sendable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int64
        var nanoseconds: Int64
    }

    private static var sizeLimit: Int { 65536 }

    private let path: String
    private let parse: @Sendable (String) -> Content
    private let state: Mutex<State>

    init(path: String, parse: @escaping @Sendable (String) -> Content) {
        self.path = path
        self.parse = parse
        state = Mutex(State(version: nil, content: parse("")))
    }

    /// What the file says now.
    ///
    /// One system call when it has not changed.
    var content: Content {
        state.withLock { state in
            let version = currentVersion()
            if version != state.version {
                state = State(version: version, content: parse(read()))
            }
            return state.content
        }
    }

    private func currentVersion() -> Version? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Version(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec))
    }

    private func read() -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.sizeLimit + 1) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
        return bytes.count > Self.sizeLimit ? "" : String(decoding: bytes, as: UTF8.self)
    }
}
