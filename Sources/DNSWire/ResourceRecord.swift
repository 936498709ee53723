/// A record: owner, class, time to live, and data from which the type follows.
package struct ResourceRecord: Hashable, Sendable {
    package var name: Name
    package var recordClass: RecordClass
    /// Seconds, up to 2^31 - 1; a larger value on the wire counts as 0 (RFC 2181 section 8).
    package var ttl: UInt32
    package var data: RecordData

    package init(_ name: Name, ttl: UInt32, _ data: RecordData, recordClass: RecordClass = .internet) {
        self.name = name
        self.ttl = ttl
        self.data = data
        self.recordClass = recordClass
    }

    package var type: RecordType { data.type }
}
