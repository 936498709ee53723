#if os(Linux)
import CSocketProxy
import Glibc

/// Makes maps and programs out of the compiled object, with bpf(2) alone.
///
/// No libbpf: nothing here needs the kernel's type information, since programs read only structs of its stable interface.
struct ProgramLoader {
    private let object: ProgramObject
    private let refusesByItself: Bool

    /// - Parameter refusesByItself: false loads the programs as on kernels before 6.1.
    init(refusesByItself: Bool = true) throws(SocketPlaneFailure) {
        self.refusesByItself = refusesByItself
        var size = 0
        let bytes = csocketproxy_object(&size)
        do throws(ProgramObject.Malformed) {
            object = try ProgramObject(Array(UnsafeBufferPointer(start: bytes, count: size)))
        } catch {
            throw .kernel("\(error)")
        }
    }

    init(_ object: ProgramObject, refusesByItself: Bool = true) {
        self.object = object
        self.refusesByItself = refusesByItself
    }

    /// Makes every map of the object that `shared` does not have already.
    ///
    /// - Parameter entries: sizes for the maps that have none of their own.
    func maps(
        entries: [String: UInt32], shared: [String: BPFDescriptor] = [:]
    ) throws(SocketPlaneFailure) -> [String: BPFDescriptor] {
        var result = shared
        for map in object.maps where shared[map.name] == nil {
            let isOfSockets = map.type == BPF_MAP_TYPE_SK_STORAGE.rawValue
            // A socket's storage has to be described to the kernel, even if nobody reads the description.
            let types = isOfSockets ? try Self.types(valueSize: map.valueSize) : nil
            let code = csocketproxy_create_map(
                map.name, map.type, map.keySize, map.valueSize, entries[map.name] ?? map.entries, map.flags,
                types?.number ?? -1, 1, 3)
            result[map.name] = BPFDescriptor(try Self.checked(code, "making the map \(map.name)"))
        }
        return result
    }

    /// Loads every program with these maps.
    func programs(_ maps: [String: BPFDescriptor]) throws(SocketPlaneFailure) -> [String: BPFDescriptor] {
        var result: [String: BPFDescriptor] = [:]
        for program in object.programs {
            guard let kind = ProgramKind(rawValue: program.name) else { continue }
            result[program.name] = BPFDescriptor(try load(program, kind, maps))
        }
        return result
    }

    private func load(
        _ program: ProgramObject.Program, _ kind: ProgramKind, _ maps: [String: BPFDescriptor]
    ) throws(SocketPlaneFailure) -> Int32 {
        var code = program.code
        for reference in program.maps {
            guard let map = maps[reference.map] else { throw .kernel("the map \(reference.map) is missing") }
            // The upper half of the second byte says that the constant is a descriptor of a map.
            code[reference.offset + 1] = code[reference.offset + 1] & 0x0F | UInt8(BPF_PSEUDO_MAP_FD) << 4
            withUnsafeBytes(of: map.number.littleEndian) { bytes in
                for (index, byte) in bytes.enumerated() { code[reference.offset + 4 + index] = byte }
            }
        }
        let always = refusesByItself ? [] : [Helper.chooseError]
        code = Self.without(always, code)
        var result = submit(program.name, kind, code, log: nil)
        for dispensable in [[Helper.nameProcess], [.chooseError], [.nameProcess, .chooseError]]
        where result == -Int(EINVAL) || result == -Int(EACCES) {
            result = submit(program.name, kind, Self.without(dispensable, code), log: nil)
        }
        if result < 0, result != -Int(EPERM) {
            var log = [CChar](repeating: 0, count: 1 << 18)
            let again = log.withUnsafeMutableBufferPointer { submit(program.name, kind, code, log: $0) }
            if again < 0 {
                let words = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let last = words.split(separator: "\n").suffix(4).joined(separator: "; ")
                let reason = "the kernel refuses the program \(program.name)"
                throw .kernel("\(reason) (\(String(cString: strerror(Int32(-again))))): \(last)")
            }
            result = again
        }
        return try Self.checked(result, "loading the program \(program.name)")
    }

    private func submit(
        _ name: String, _ kind: ProgramKind, _ code: [UInt8], log: UnsafeMutableBufferPointer<CChar>?
    ) -> Int {
        code.withUnsafeBytes { bytes in
            csocketproxy_load_program(
                name, kind.type, kind.attachment, bytes.baseAddress, UInt32(bytes.count / 8), object.license,
                log?.baseAddress, UInt32(log?.count ?? 0))
        }
    }

    /// Calls of the kernel that a program can do without; raw values are the kernel's numbers.
    enum Helper: UInt8 {
        /// bpf_get_current_comm takes CAP_PERFMON on newer kernels; the name is then read from /proc.
        case nameProcess = 16
        /// bpf_set_retval is there for these programs since Linux 6.1; the plane beneath then refuses.
        case chooseError = 187
    }

    /// The same program, in which calls of these helpers fail.
    static func without(_ helpers: [Helper], _ code: [UInt8]) -> [UInt8] {
        var code = code
        for offset in stride(from: 0, to: code.count, by: 8) {
            let instruction = code[offset..<offset + 8]
            for helper in helpers where instruction.elementsEqual([0x85, 0, 0, 0, helper.rawValue, 0, 0, 0]) {
                // call N becomes r0 = -1.
                code.replaceSubrange(offset..<offset + 8, with: [0xB7, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
            }
        }
        return code
    }

    /// A description of types: 1 is a 32-bit integer, 3 an array of them as large as a value.
    private static func types(valueSize: UInt32) throws(SocketPlaneFailure) -> BPFDescriptor {
        let name = Array("\0int\0".utf8)
        let words: [UInt32] = [
            0x0001_EB9F, 24, 0, 16 + 16 + 12 + 4 + 8, 56, UInt32(name.count),
            // int: name 1, kind 1, 4 bytes, signed, 32 bits
            1, 1 << 24, 4, 1 << 24 | 32,
            // another, for the array's index
            1, 1 << 24, 4, 32,
            // array: kind 3, of type 1, indexed by type 2
            0, 3 << 24, 0, 1, 2, valueSize / 4,
        ]
        var bytes = words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
        bytes += name
        return BPFDescriptor(
            try checked(csocketproxy_load_btf(bytes, UInt32(bytes.count)), "describing the storage of sockets"))
    }

    static func checked(_ result: Int, _ call: String) throws(SocketPlaneFailure) -> Int32 {
        if result == -Int(EPERM) { throw .notPermitted(call) }
        if result < 0 { throw .kernel("\(call): \(String(cString: strerror(Int32(-result))))") }
        return Int32(result)
    }
}

/// Where a program is attached; raw values are the names in the object.
enum ProgramKind: String, CaseIterable {
    case connect4, connect6, sendmsg4, sendmsg6, recvmsg4, recvmsg6, getpeername4, getpeername6, release

    /// What kind of program it is to the kernel.
    var type: UInt32 {
        self == .release ? BPF_PROG_TYPE_CGROUP_SOCK.rawValue : BPF_PROG_TYPE_CGROUP_SOCK_ADDR.rawValue
    }

    var attachment: UInt32 {
        switch self {
        case .connect4: BPF_CGROUP_INET4_CONNECT.rawValue
        case .connect6: BPF_CGROUP_INET6_CONNECT.rawValue
        case .sendmsg4: BPF_CGROUP_UDP4_SENDMSG.rawValue
        case .sendmsg6: BPF_CGROUP_UDP6_SENDMSG.rawValue
        case .recvmsg4: BPF_CGROUP_UDP4_RECVMSG.rawValue
        case .recvmsg6: BPF_CGROUP_UDP6_RECVMSG.rawValue
        case .getpeername4: BPF_CGROUP_INET4_GETPEERNAME.rawValue
        case .getpeername6: BPF_CGROUP_INET6_GETPEERNAME.rawValue
        case .release: BPF_CGROUP_INET_SOCK_RELEASE.rawValue
        }
    }
}
#endif
