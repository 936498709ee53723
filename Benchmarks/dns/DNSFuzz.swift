import DNSWire
import NetTypes

// Compiled by fuzz.sh together with the sources of AnswerTable, and linked with libFuzzer; no part of the package.

/// Looks at any bytes as a message, as a query that is answered from the table, and as a name.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let raw = UnsafeRawBufferPointer(start: start, count: count)
    let bytes = Array(raw)
    _ = try? Message.ttlOffsets(in: bytes)
    if let name = Name(String(decoding: bytes.prefix(300), as: UTF8.self)), Name(name.description) != name {
        crash("a name reads differently in its own words")
    }
    let message = try? Message(decoding: bytes)
    if let message {
        let small = message.encoded(limit: 512)
        guard (try? Message(decoding: small)) != nil else { crash("what was cut cannot be read") }
        let whole = message.encoded()
        guard let again = try? Message(decoding: whole) else { crash("what was written cannot be read") }
        guard again == message || again.isTruncated else { crash("what was written reads differently") }
    }
    fuzzTable(raw, message)
    return 0
}

/// A reply from the table is the reply that was put in, for this id.
private func fuzzTable(_ query: UnsafeRawBufferPointer, _ message: Message?) {
    let stamps = shared.stamps
    withUnsafeTemporaryAllocation(byteCount: AnswerTable.replyLimit, alignment: 1) { buffer in
        guard let reply = buffer.baseAddress else { return }
        if shared.table.answer(query, into: reply, stamps) != nil, message == nil { crash("an answer to no message") }
        guard let message, !message.isResponse, let question = message.questions.first else { return }
        let soa = StartOfAuthority(
            primary: .root, mailbox: .root, serial: 7, refresh: 7200, retry: 1800, expire: 86400, minimum: 5)
        for count in 0...3 {
            // What was kept before is out of date from here on, also where the new reply is of no kind to be kept.
            stamps.advance(.everything, serial: 7)
            var made = Message(replyingTo: message, code: count == 0 ? .nameError : .noError)
            made.answers = (0..<count).map {
                ResourceRecord(question.name, ttl: 5, .a(IPv4Address(bits: UInt32($0))))
            }
            if count == 0 { made.authorities = [ResourceRecord(.root, ttl: 5, .soa(soa))] }
            made.edns = message.edns.map { EDNS(udpPayloadSize: 1232, isDNSSECOK: $0.isDNSSECOK) }
            shared.table.store(
                made.encoded(limit: 1232), to: query, generation: stamps.generation, part: .namespaces)
            guard let hit = shared.table.answer(query, into: reply, stamps) else { continue }
            guard var given = try? Message(decoding: UnsafeRawBufferPointer(start: reply, count: hit.length)) else {
                crash("the table gives what cannot be read")
            }
            guard Set(given.answers) == Set(made.answers), hit.type == question.type, hit.code == made.code else {
                crash("the table gives another reply")
            }
            given.answers = made.answers
            guard given == made else { crash("the table gives another reply") }
        }
    }
}

/// The table lives from input to input, as it does in the server.
private final class Shared {
    var table = AnswerTable()
    let stamps = ZoneStamps(serial: 7)
}

nonisolated(unsafe) private let shared = Shared()

private func crash(_ reason: String) -> Never { fatalError(reason) }
