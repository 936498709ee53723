import DNSWire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Replies as bytes, by query: what one thread has answered before and can answer again without a thought.
///
/// A query is looked up by all that its reply depends on but the id: flags, name in lower case, type, class and EDNS. The
/// reply gets the id and the spelling of the query, the serial of now, and its addresses turned round by chance. Whether a
/// reply still stands, ``ZoneStamps`` say. Neither finding nor giving an answer allocates; memory is bounded, and when it is
/// used up the table starts anew.
struct AnswerTable: ~Copyable {
    /// Longer replies are not kept.
    static let replyLimit = 1232

    /// A reply that was found.
    struct Hit {
        var length: Int
        var type: RecordType
        var code: ResponseCode
    }

    /// A place in the table.
    private struct Slot {
        var hash: UInt64 = 0
        var generation: UInt64 = 0
        /// Where the key is in the arena; the reply follows it.
        var offset: UInt32 = 0
        /// 0 for a free slot.
        var keyLength: UInt16 = 0
        var replyLength: UInt16 = 0
        /// Where the SOA serial is in the reply; 0 for none.
        var serialOffset: UInt16 = 0
        var place: UInt16 = 0
        /// Address records that are turned round, and the octets of each.
        var addressCount: UInt16 = 0
        var addressSize: UInt16 = 0
    }

    private static let slotCount = 65536
    private static let entryLimit = slotCount * 5 / 8
    private static let arenaSize = 8 << 20
    /// Slots that a look-up tries.
    private static let probeLimit = 32
    private static let keyLimit = 2 + 255 + 4 + 11

    private let slots: UnsafeMutablePointer<Slot>
    private let arena: UnsafeMutableRawPointer
    private let key: UnsafeMutableRawPointer
    private var used = 0
    private var count = 0
    private var chance: UInt64 = .random(in: 1 ... .max)
    /// Keeps clients from making keys that collide.
    private let seed: UInt64 = .random(in: 0 ... .max)

    init() {
        slots = .allocate(capacity: Self.slotCount)
        slots.initialize(repeating: Slot(), count: Self.slotCount)
        arena = .allocate(byteCount: Self.arenaSize, alignment: 8)
        key = .allocate(byteCount: Self.keyLimit + 8, alignment: 8)
    }

    deinit {
        slots.deallocate()
        arena.deallocate()
        key.deallocate()
    }

    /// Writes the reply to `query` to `reply`, which has room for ``replyLimit`` octets; nil when there is none that stands.
    mutating func answer(
        _ query: UnsafeRawBufferPointer, into reply: UnsafeMutableRawPointer, _ stamps: ZoneStamps
    ) -> Hit? {
        guard let length = readKey(query) else { return nil }
        guard let place = find(hash(length), length) else { return nil }
        let slot = slots[place]
        guard slot.keyLength != 0, stamps.isCurrent(slot.generation, place: slot.place),
            let base = query.baseAddress
        else { return nil }
        let source = arena + Int(slot.offset) + length
        let nameLength = Self.nameLength(keyLength: length, query)
        memcpy(reply, source, Int(slot.replyLength))
        memcpy(reply, base, 2)
        memcpy(reply + Message.headerSize, base + Message.headerSize, nameLength)
        if slot.serialOffset != 0 {
            (reply + Int(slot.serialOffset)).storeBytes(of: stamps.serial.bigEndian, as: UInt32.self)
        }
        if slot.addressCount > 1 {
            let size = Int(slot.addressSize)
            let all = Int(slot.addressCount) * size
            let first = Int(nextChance() % UInt64(slot.addressCount)) * size
            let start = Message.headerSize + nameLength + 4
            memcpy(reply + start, source + start + first, all - first)
            memcpy(reply + start + all - first, source + start, first)
        }
        let type = (key + (2 + nameLength)).loadUnaligned(as: UInt16.self).bigEndian
        return Hit(
            length: Int(slot.replyLength), type: RecordType(rawValue: type),
            code: ResponseCode(rawValue: UInt16(source.load(fromByteOffset: 3, as: UInt8.self) & 0xF)))
    }

    /// Keeps the reply to `query` if it is of a kind that can be given again.
    ///
    /// - Parameters:
    ///   - generation: that of the stamps from before the reply was made.
    ///   - part: what the reply depends on.
    mutating func store(_ reply: [UInt8], to query: UnsafeRawBufferPointer, generation: UInt64, part: ZoneStamps.Part) {
        guard let length = readKey(query), reply.count <= Self.replyLimit else { return }
        let nameLength = Self.nameLength(keyLength: length, query)
        guard var slot = Self.shape(reply, questionEnd: Message.headerSize + nameLength + 4, hasEDNS: query[11] == 1)
        else { return }
        if count >= Self.entryLimit || used + length + reply.count > Self.arenaSize { removeAll() }
        let hash = hash(length)
        // Where probing finds no place it is the first slot's turn to go.
        let place = find(hash, length) ?? Int(hash % UInt64(Self.slotCount))
        if slots[place].keyLength == 0 { count += 1 }
        slot.hash = hash
        slot.generation = generation
        slot.offset = UInt32(used)
        slot.keyLength = UInt16(length)
        slot.replyLength = UInt16(reply.count)
        slot.place = part.place
        // A reply that is prepared again mostly has its old size, and its old place.
        let old = slots[place]
        if old.hash == hash, old.keyLength == slot.keyLength, old.replyLength >= slot.replyLength {
            slot.offset = old.offset
        } else {
            used += length + reply.count
        }
        memcpy(arena + Int(slot.offset), key, length)
        reply.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { memcpy(arena + Int(slot.offset) + length, base, bytes.count) }
        }
        slots[place] = slot
    }

    private mutating func removeAll() {
        slots.update(repeating: Slot(), count: Self.slotCount)
        used = 0
        count = 0
    }

    // MARK: Keys

    private static func nameLength(keyLength: Int, _ query: UnsafeRawBufferPointer) -> Int {
        keyLength - 2 - 4 - (query[11] == 1 ? 11 : 0)
    }

    /// Copies what the reply to `query` depends on to `key`; nil for a query that is not quite ordinary.
    private func readKey(_ query: UnsafeRawBufferPointer) -> Int? {
        // A standard query, no flag but RD, AD and CD; one question, at most one additional record.
        guard query.count >= Message.headerSize + 5, query[2] & 0xFE == 0, query[3] & 0xCF == 0,
            query[4] == 0, query[5] == 1, query[6] | query[7] | query[8] | query[9] | query[10] == 0, query[11] <= 1
        else { return nil }
        var end = Message.headerSize
        while query[end] != 0 {
            guard query[end] < 64 else { return nil }
            end += 1 + Int(query[end])
            guard end < query.count else { return nil }
        }
        end += 1
        let nameLength = end - Message.headerSize
        let rest = query.count - end - 4
        guard nameLength <= 255, rest == (query[11] == 1 ? 11 : 0) else { return nil }
        // An OPT record of the root without options.
        if rest == 11 {
            guard query[end + 4] == 0, query[end + 5] == 0, query[end + 6] == 41,
                query[end + 13] == 0, query[end + 14] == 0
            else { return nil }
        }
        guard let base = query.baseAddress else { return nil }
        let length = 2 + nameLength + 4 + rest
        // Zeros up to a whole word, for the hash.
        (key + (length & ~7)).storeBytes(of: 0, as: UInt64.self)
        memcpy(key, base + 2, 2)
        memcpy(key + 2, base + Message.headerSize, length - 2)
        // A length octet is no letter, so the whole name can be folded, eight octets at a time.
        var index = 2
        let nameEnd = 2 + nameLength
        while index + 8 <= nameEnd {
            let word = (key + index).loadUnaligned(as: UInt64.self)
            (key + index).storeBytes(of: Self.lowercased(word), as: UInt64.self)
            index += 8
        }
        while index < nameEnd {
            let octet = (key + index).load(as: UInt8.self)
            (key + index).storeBytes(of: octet.asciiLowercased, as: UInt8.self)
            index += 1
        }
        return length
    }

    /// Eight octets, their ASCII letters in lower case.
    ///
    /// Additions that carry into an octet's upper bit compare all of them at once.
    private static func lowercased(_ word: UInt64) -> UInt64 {
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
        let beyondZ = low &+ 0x2525_2525_2525_2525
        let letters = (fromA ^ beyondZ) & ~word & 0x8080_8080_8080_8080
        return word | letters >> 2
    }

    private func hash(_ length: Int) -> UInt64 {
        var hash = seed
        var index = 0
        while index < length {
            hash = (hash ^ (key + index).load(as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            index += 8
        }
        return hash
    }

    /// The slot of the key, or the free one where it belongs.
    private func find(_ hash: UInt64, _ length: Int) -> Int? {
        for step in 0..<Self.probeLimit {
            let place = Int((hash &+ UInt64(step)) % UInt64(Self.slotCount))
            if slots[place].keyLength == 0 { return place }
            if slots[place].hash == hash, Int(slots[place].keyLength) == length,
                memcmp(arena + Int(slots[place].offset), key, length) == 0
            {
                return place
            }
        }
        return nil
    }

    private mutating func nextChance() -> UInt64 {
        // xorshift64: the order of addresses is no secret.
        chance ^= chance << 13
        chance ^= chance >> 7
        chance ^= chance << 17
        return chance
    }

    // MARK: Replies

    /// What has to be filled in when the reply is given again; nil when it must not be.
    private static func shape(_ reply: [UInt8], questionEnd: Int, hasEDNS: Bool) -> Slot? {
        guard reply.count >= questionEnd, reply[2] & 0x02 == 0, reply[5] == 1, reply[6] == 0 else { return nil }
        let code = reply[3] & 0xF
        var slot = Slot()
        switch (reply[7], reply[9]) {
        case (0, 1):
            // The SOA record is the last before OPT, and its data ends in five numbers, the serial first.
            let offset = reply.count - (hasEDNS ? 11 : 0) - 20
            guard code == 0 || code == 3, offset > questionEnd else { return nil }
            slot.serialOffset = UInt16(offset)
        case (1..., 0):
            guard code == 0 else { return nil }
            guard reply[7] > 1 else { break }
            let sizes: [UInt8: Int] = [UInt8(RecordType.a.rawValue): 16, UInt8(RecordType.aaaa.rawValue): 28]
            let type = reply[questionEnd - 3]
            guard reply[questionEnd - 4] == 0, type != UInt8(RecordType.srv.rawValue) else { break }
            guard let size = sizes[type] else { return nil }
            for index in 0..<Int(reply[7]) {
                let start = questionEnd + index * size
                guard start + size <= reply.count, reply[start] == 0xC0, reply[start + 1] == 12,
                    reply[start + 3] == type
                else { return nil }
            }
            slot.addressCount = UInt16(reply[7])
            slot.addressSize = UInt16(size)
        default: return nil
        }
        return slot
    }
}
