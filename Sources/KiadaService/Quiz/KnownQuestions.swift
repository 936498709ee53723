import Synchronization

/// Questions by the JSON documents that they were read from: a quiz has a few and sends them again and again.
///
/// Keeps at most `capacity` of them, of at most `longest` octets each, and begins anew when there are more.
final class KnownQuestions: Sendable {
    static let capacity = 128
    static let longest = 4096

    /// A document whose hash takes all octets at once: an array takes them one by one.
    private struct Document: Hashable {
        let octets: [UInt8]

        func hash(into hasher: inout Hasher) { octets.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    private let questions = Mutex<[Document: Question]>([:])

    subscript(document: [UInt8]) -> Question? { questions.withLock { $0[Document(octets: document)] } }

    func add(_ question: Question, read document: [UInt8]) {
        guard document.count <= Self.longest else { return }
        questions.withLock { questions in
            if questions.count == Self.capacity { questions.removeAll(keepingCapacity: true) }
            questions[Document(octets: document)] = question
        }
    }
}
