/// The data of an SRV record (RFC 2782).
package struct ServiceLocation: Hashable, Sendable {
    /// Lower is preferred.
    package var priority: UInt16
    /// The share of clients among equal priorities.
    package var weight: UInt16
    package var port: UInt16
    package var target: Name

    package init(priority: UInt16, weight: UInt16, port: UInt16, target: Name) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }

    init(reading reader: inout WireReader, before end: Int) throws(WireError) {
        priority = try reader.uint16()
        weight = try reader.uint16()
        port = try reader.uint16()
        target = try reader.name(before: end)
    }

    func write(to writer: inout WireWriter) {
        writer.append(priority)
        writer.append(weight)
        writer.append(port)
        // RFC 2782 forbids compression here; receivers accept it all the same (RFC 3597 section 4).
        writer.appendUncompressed(target)
    }
}
