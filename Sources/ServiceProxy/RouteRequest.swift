import Glibc
import LinuxKernel
import NetTypes

/// One request to the kernel about an address or a route (rtnetlink(7)).
struct RouteRequest {
    /// NLM_F_REQUEST and NLM_F_ACK.
    static let acknowledged: UInt16 = 0x1 | 0x4
    /// NLM_F_CREATE and NLM_F_REPLACE besides.
    static let put: UInt16 = acknowledged | 0x400 | 0x100

    /// The whole message.
    let bytes: [UInt8]

    /// - Parameter header: ifaddrmsg or rtmsg.
    init(type: UInt16, flags: UInt16, header: [UInt8], _ attributes: (inout NetlinkMessage) -> Void) {
        var message = NetlinkMessage()
        message.begin(type: type, flags: flags, sequence: 1, header: header)
        attributes(&message)
        message.end()
        bytes = message.bytes
    }

    /// - Returns: the error number of the kernel's acknowledgement; 0 is success.
    func send() -> Int32 {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        guard Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count else { return errno }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        guard count >= 20 else { return EIO }
        return -Int32(bitPattern: reply[..<count].native32(at: 16))
    }
}

extension IPFamily {
    /// AF_INET or AF_INET6.
    var number: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }
}
