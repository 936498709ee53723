/// The data of an SOA record (RFC 1035 section 3.3.13); all times in seconds.
package struct StartOfAuthority: Hashable, Sendable {
    package var primary: Name
    package var mailbox: Name
    package var serial: UInt32
    package var refresh: UInt32
    package var retry: UInt32
    package var expire: UInt32
    /// How long "no such name" and "no such type" may be kept (RFC 2308 section 4).
    package var minimum: UInt32

    package init(
        primary: Name, mailbox: Name, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32, minimum: UInt32
    ) {
        self.primary = primary
        self.mailbox = mailbox
        self.serial = serial
        self.refresh = refresh
        self.retry = retry
        self.expire = expire
        self.minimum = minimum
    }

    init(reading reader: inout WireReader, before end: Int) throws(WireError) {
        primary = try reader.name(before: end)
        mailbox = try reader.name(before: end)
        serial = try reader.uint32()
        refresh = try reader.uint32()
        retry = try reader.uint32()
        expire = try reader.uint32()
        minimum = try reader.uint32()
    }

    func write(to writer: inout WireWriter) {
        writer.append(primary)
        writer.append(mailbox)
        for value in [serial, refresh, retry, expire, minimum] { writer.append(value) }
    }
}
