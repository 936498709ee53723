import Synchronization

/// Questions by the JSON documents that they were read from: a quiz has a few and sends them again and again.
///
/// Keeps at most `capacity` of them, of at most `longest` octets each, and begins anew when there are more.
final class KnownQuestions: Sendable {
    static let capacity = 128
    static let longest = 4096

    private let questions = Mutex<[[UInt8]: Question]>([:])

    subscript(document: [UInt8]) -> Question? { questions.withLock { $0[document] } }

    func add(_ question: Question, read document: [UInt8]) {
        guard document.count <= Self.longest else { return }
        questions.withLock { questions in
            if questions.count == Self.capacity { questions.removeAll(keepingCapacity: true) }
            questions[document] = question
        }
    }
}
