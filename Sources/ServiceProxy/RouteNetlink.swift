import Glibc
import NetTypes

/// Requests to the kernel about addresses and routes (rtnetlink(7)), one at a time; numbers in the machine's byte order.
enum RouteNetlink {
    /// The part behind the header.
    struct Body {
        var octets: [UInt8] = []

        mutating func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { octets += $0 } }

        /// - Parameter value: a multiple of four octets.
        mutating func append(attribute type: UInt16, _ value: [UInt8]) {
            append(UInt16(4 + value.count))
            append(type)
            octets += value
        }

        mutating func append(attribute type: UInt16, _ value: UInt32) {
            append(attribute: type, withUnsafeBytes(of: value) { Array($0) })
        }
    }

    /// The whole message: nlmsghdr and the body.
    static func message(type: UInt16, flags: UInt16, _ body: [UInt8]) -> [UInt8] {
        var message = Body()
        message.append(UInt32(16 + body.count))
        message.append(type)
        message.append(flags)
        message.append(UInt32(1))
        message.append(UInt32(0))
        return message.octets + body
    }

    /// - Parameter flags: with NLM_F_REQUEST and NLM_F_ACK.
    /// - Returns: the error number of the kernel's acknowledgement; 0 is success.
    static func send(type: UInt16, flags: UInt16, _ body: [UInt8]) -> Int32 {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let bytes = message(type: type, flags: flags, body)
        guard Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count else { return errno }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        guard count >= 20 else { return EIO }
        return -reply.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: Int32.self) }
    }
}

extension IPFamily {
    /// AF_INET or AF_INET6.
    var number: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }
}
