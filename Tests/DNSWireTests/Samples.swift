import DNSWire
import NetTypes
import Testing

/// Messages that several tests look at.
enum Samples {
    static func name(_ text: String) throws -> Name { try #require(Name(text)) }

    /// One record of each type, names that share suffixes, and an OPT record with an option.
    static func everything() throws -> Message {
        let owner = try name("Quote.kiada.svc.cluster.local")
        let zone = try name("cluster.local")
        var message = Message(
            id: 0xBEEF, query: Question(owner, .any),
            edns: EDNS(
                udpPayloadSize: 1232, isDNSSECOK: true,
                options: [
                    EDNS.Option(code: 10, data: [1, 2, 3, 4, 5, 6, 7, 8])
                ]))
        message.isResponse = true
        message.isAuthoritative = true
        message.answers = [
            ResourceRecord(owner, ttl: 5, .a(try #require(IPv4Address("10.96.74.151")))),
            ResourceRecord(owner, ttl: 5, .aaaa(try #require(IPv6Address("fd00::1")))),
            ResourceRecord(owner, ttl: 5, .cname(try name("quote.kiada.svc.cluster.local"))),
            ResourceRecord(owner, ttl: 5, .srv(ServiceLocation(priority: 0, weight: 100, port: 80, target: owner))),
            ResourceRecord(owner, ttl: 28800, .txt([Array("1.1.0".utf8), []])),
            ResourceRecord(owner, ttl: 5, .ptr(zone)),
            ResourceRecord(owner, ttl: 5, .unknown(RecordType(rawValue: 4711), [0xC0, 0, 1])),
            ResourceRecord(owner, ttl: 5, .unknown(.a, [1]), recordClass: .chaos),
        ]
        message.authorities = [
            ResourceRecord(zone, ttl: 5, .ns(try name("ns.dns.cluster.local"))),
            ResourceRecord(
                zone, ttl: 5,
                .soa(
                    StartOfAuthority(
                        primary: try name("ns.dns.cluster.local"), mailbox: try name("hostmaster.cluster.local"),
                        serial: 1,
                        refresh: 7200, retry: 1800, expire: 86400, minimum: 5))),
        ]
        message.additionals = [
            ResourceRecord(try name("ns.dns.cluster.local"), ttl: 5, .a(try #require(IPv4Address("10.96.0.10"))))
        ]
        return message
    }
}
