import LinuxKernel
import NetTypes
import ServiceRouting

/// An entry of the kernel's connection table, as far as we read it.
struct Connection: Equatable {
    let client: SocketEndpoint
    /// Where the client wanted to go.
    let frontend: Frontend
    /// Who answers.
    let endpoint: SocketEndpoint
    let mark: UInt32
    /// Octets to the endpoint and back; 0 unless `net.netfilter.nf_conntrack_acct` is on.
    let bytes: (there: UInt64, back: UInt64)
    /// For TCP: past the handshake, and nobody has ended it; always true for UDP.
    let isOpen: Bool
    /// The original tuple as the kernel writes it, which names the entry.
    let tuple: [UInt8]

    static func == (left: Connection, right: Connection) -> Bool { left.tuple == right.tuple }

    /// nil for other protocols than TCP and UDP.
    init?(_ payload: ArraySlice<UInt8>) {
        var original: ArraySlice<UInt8>?
        var reply: ArraySlice<UInt8>?
        var mark: UInt32 = 0
        var bytes: (UInt64, UInt64) = (0, 0)
        var isOpen = true
        for (type, value) in NetlinkAttributes(payload.dropFirst(4)) {
            switch type {
            case 1: original = value
            case 2: reply = value
            case 4:
                // TCP's state: 3 is established.
                guard let tcp = NetlinkAttributes.first(1, in: value) else { continue }
                isOpen = NetlinkAttributes.first(1, in: tcp)?.first == 3
            case 8: mark = UInt32(truncatingIfNeeded: value.number)
            case 9: bytes.0 = NetlinkAttributes.first(2, in: value)?.number ?? 0
            case 10: bytes.1 = NetlinkAttributes.first(2, in: value)?.number ?? 0
            default: break
            }
        }
        guard let original, let reply, let there = Tuple(original), let back = Tuple(reply),
            there.proto == 6 || there.proto == 17
        else { return nil }
        client = there.source
        frontend = Frontend(there.destination, there.proto == 6 ? .tcp : .udp)
        endpoint = back.source
        self.mark = mark
        self.bytes = bytes
        self.isOpen = isOpen
        tuple = Array(original)
    }

    /// One direction of an entry: from where to where.
    private struct Tuple {
        let source: SocketEndpoint
        let destination: SocketEndpoint
        let proto: UInt8

        init?(_ bytes: ArraySlice<UInt8>) {
            guard let ip = NetlinkAttributes.first(1, in: bytes), let ports = NetlinkAttributes.first(2, in: bytes)
            else { return nil }
            var addresses: [UInt16: IPAddress] = [:]
            for (type, value) in NetlinkAttributes(ip) { addresses[type] = IPAddress(octets: value) }
            var numbers: [UInt16: UInt64] = [:]
            for (type, value) in NetlinkAttributes(ports) { numbers[type] = value.number }
            guard let source = addresses[1] ?? addresses[3], let destination = addresses[2] ?? addresses[4],
                let proto = numbers[1]
            else { return nil }
            self.proto = UInt8(truncatingIfNeeded: proto)
            self.source = SocketEndpoint(address: source, port: UInt16(truncatingIfNeeded: numbers[2] ?? 0))
            self.destination = SocketEndpoint(address: destination, port: UInt16(truncatingIfNeeded: numbers[3] ?? 0))
        }
    }
}
