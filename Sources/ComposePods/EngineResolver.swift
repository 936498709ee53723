import DNSClient
import DNSWire
import NIOCore
import NIOPosix
package import NetTypes

/// The resolver that a container engine gives to containers, asked without any cache and search list.
package struct EngineResolver: Sendable {
    /// No reply that says something: a timeout, a refusal, a failing server.
    package struct Unanswered: Error, CustomStringConvertible {
        package let description: String
    }

    private let server: SocketEndpoint
    private let timeout: TimeAmount
    private let loop: any EventLoop

    /// - Parameter timeout: for each query, in milliseconds.
    package init(server: SocketEndpoint, timeoutMilliseconds: Int64 = 1000) {
        self.server = server
        timeout = .milliseconds(timeoutMilliseconds)
        loop = MultiThreadedEventLoopGroup.singleton.next()
    }

    /// The first name server of a resolv.conf file; nil when it names none.
    package init?(resolvConf text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0] == "nameserver", let address = IPAddress(String(words[1])) else { continue }
            self.init(server: SocketEndpoint(address: address, port: 53))
            return
        }
        return nil
    }

    /// All addresses of a name; none when there is no such name.
    package func addresses(of name: String, families: [IPFamily]) async throws -> [IPAddress] {
        guard let name = Name(name) else { return [] }
        var addresses: [IPAddress] = []
        for family in families {
            for record in try await ask(Question(name, family == .v4 ? .a : .aaaa)) {
                switch record.data {
                case .a(let address): addresses.append(.v4(address))
                case .aaaa(let address): addresses.append(.v6(address))
                default: break
                }
            }
        }
        return addresses
    }

    /// What the PTR records of an address say, such as `kiada-quote-2.kiada_cluster.`.
    package func pointers(of address: IPAddress) async throws -> [String] {
        guard let name = Name(Self.reverseName(of: address)) else { return [] }
        return try await ask(Question(name, .ptr)).compactMap { record in
            if case .ptr(let name) = record.data { name.description } else { nil }
        }
    }

    /// `2.0.96.10.in-addr.arpa.` (RFC 1035 section 3.5, RFC 3596 section 2.5).
    static func reverseName(of address: IPAddress) -> String {
        switch address.family {
        case .v4: address.octets.reversed().map { "\($0)." }.joined() + "in-addr.arpa."
        case .v6:
            address.octets.reversed().map { "\(String($0 & 15, radix: 16)).\(String($0 >> 4, radix: 16))." }.joined()
                + "ip6.arpa."
        }
    }

    private func ask(_ question: Question) async throws -> [ResourceRecord] {
        let query = Message(
            id: .random(in: 0...0xFFFF), query: question, edns: EDNS(udpPayloadSize: 4096)
        ).encoded()
        var reply = try Message(
            decoding: try await DNSExchange.send(query, to: server, over: .udp, timeout: timeout, on: loop).get())
        if reply.isTruncated {
            reply = try Message(
                decoding: try await DNSExchange.send(query, to: server, over: .tcp, timeout: timeout, on: loop).get())
        }
        guard reply.code == .noError || reply.code == .nameError else {
            throw Unanswered(description: "\(question): \(reply.code) from \(server)")
        }
        return reply.answers
    }
}
