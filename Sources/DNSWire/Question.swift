/// What is asked: a name, a type and a class.
package struct Question: Hashable, Sendable, CustomStringConvertible {
    package var name: Name
    package var type: RecordType
    package var recordClass: RecordClass

    package init(_ name: Name, _ type: RecordType, recordClass: RecordClass = .internet) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }

    package var description: String { "\(name) \(type)" }
}
