#if os(Linux)
import CSocketProxy
import Glibc

/// A descriptor of the kernel's that closes with its owner, and with the process whatever happens.
final class BPFDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

/// A call of bpf(2) that failed.
struct BPFError: Error, CustomStringConvertible {
    let call: String
    /// An error number, positive.
    let code: Int32

    var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// A map whose keys and values are plain C structs of `layout.h`.
struct BPFMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: Sendable {
    let descriptor: BPFDescriptor

    init(_ descriptor: BPFDescriptor) { self.descriptor = descriptor }

    /// Puts an element in as a whole: no program sees half of it.
    func set(_ key: Key, _ value: Value) throws(BPFError) {
        let code = withUnsafePointer(to: key) { key in
            withUnsafePointer(to: value) { value in
                csocketproxy_element(Int32(BPF_MAP_UPDATE_ELEM.rawValue), descriptor.number, key, value, 0)
            }
        }
        if code < 0 { throw BPFError(call: "writing a map of the socket plane", code: Int32(-code)) }
    }

    /// Removes an element; one that is not there is no error.
    func remove(_ key: Key) throws(BPFError) {
        let code = withUnsafePointer(to: key) { key in
            csocketproxy_element(Int32(BPF_MAP_DELETE_ELEM.rawValue), descriptor.number, key, nil, 0)
        }
        if code < 0, code != -Int(ENOENT) {
            throw BPFError(call: "removing from a map of the socket plane", code: Int32(-code))
        }
    }

    /// The element, overwriting `room`; nil when there is none.
    func get(_ key: Key, room: Value) -> Value? {
        var value = room
        let code = withUnsafePointer(to: key) { key in
            withUnsafeMutablePointer(to: &value) { value in
                csocketproxy_element(Int32(BPF_MAP_LOOKUP_ELEM.rawValue), descriptor.number, key, value, 0)
            }
        }
        return code < 0 ? nil : value
    }
}
#endif
