import Mustache
import ServiceKit

/// The page for browsers.
///
/// It is complete without its script: answers are buttons of a form, everything else is a link. All values are
/// escaped by the template, which contains no unescaped tag.
package struct HTMLPage: Sendable {
    /// An answer that was given, and what the quiz said.
    package struct Outcome: Equatable, Sendable {
        package let answerIndex: Int
        package let verdict: Result<Verdict, UpstreamError>

        package init(answerIndex: Int, verdict: Result<Verdict, UpstreamError>) {
            self.answerIndex = answerIndex
            self.verdict = verdict
        }
    }

    private let template: MustacheTemplate

    package init() throws {
        template = try MustacheTemplate(string: String(decoding: PackageResources.page_mustache, as: UTF8.self))
    }

    /// The whole page.
    ///
    /// - Parameters:
    ///   - contents: what it shows; what could not be had stands as `ERROR: ...` in its place.
    ///   - outcome: the answer just given to the question of `contents`, if one was.
    package func html(_ contents: PageContents, outcome: Outcome? = nil) -> String {
        let pod = contents.identity
        var values: [String: Any] = [
            "edition": Kiada.edition,
            "stylesheet": Asset.stylesheet.url, "script": Asset.script.url, "icon": Asset.emblem.url,
            "podName": pod.podName, "nodeName": pod.nodeName, "hostname": pod.hostname, "podIP": pod.podIP,
            "nodeIP": pod.nodeIP, "clientIP": contents.clientIP,
        ]
        if !contents.statusMessage.isEmpty { values["statusMessage"] = contents.statusMessage }
        switch contents.quote {
        case .success(let served):
            values["quote"] = served.value
            values["quotePod"] = served.podName
        case .failure(let error):
            values["quoteError"] = error.description
        }
        switch contents.question {
        case .success(let served):
            values["question"] = served.value.text
            values["questionID"] = served.value.id.description
            values["quizPod"] = served.podName
            values["answers"] = served.value.answers.indices.map { index in
                Self.answer(index, of: served.value, outcome: outcome)
            }
        case .failure(let error):
            values["questionError"] = error.description
        }
        if let outcome {
            values.merge(Self.result(of: outcome, question: try? contents.question.get().value)) { $1 }
        }
        return template.render(values)
    }

    private static func answer(_ index: Int, of question: Question, outcome: Outcome?) -> [String: Any] {
        var values: [String: Any] = [
            "index": index, "text": question.answers[index],
            "path": "/question/\(question.id.pathComponent)/answers/\(index)",
        ]
        guard case .success(let verdict) = outcome?.verdict else { return values }
        values["answered"] = true
        if index == verdict.correctAnswerIndex {
            values["state"] = "right"
            values["mark"] = "✓ right"
        } else if index == outcome?.answerIndex {
            values["state"] = "wrong"
            values["mark"] = "✗ your answer"
        }
        return values
    }

    private static func result(of outcome: Outcome, question: Question?) -> [String: Any] {
        switch outcome.verdict {
        case .success(let verdict) where verdict.correct:
            return ["result": "Right!", "resultClass": "right"]
        case .success(let verdict):
            let index = verdict.correctAnswerIndex
            let right = question.flatMap { $0.answers.indices.contains(index) ? $0.answers[index] : nil }
            return ["result": "Wrong. The right answer is: \(right ?? "\(index)")", "resultClass": "wrong"]
        case .failure(let error):
            return ["result": "ERROR: \(error)", "resultClass": "wrong"]
        }
    }
}
