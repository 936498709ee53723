import ServiceKit

/// The page for terminals (rule 10.1).
package enum TextPage {
    /// The whole page.
    ///
    /// What could not be had stands as `ERROR: ...` in its section, and the page is whole all the same.
    package static func text(_ contents: PageContents) -> String {
        let quote: String
        switch contents.quote {
        case .success(let served): quote = served.value
        case .failure(let error): quote = "ERROR: \(error)"
        }
        let question: String
        let id: String
        switch contents.question {
        case .success(let served):
            question = served.value.answers.enumerated().reduce(into: served.value.text) { text, answer in
                text += "\n\(answer.offset)) \(answer.element)"
            }
            id = served.value.id.pathComponent
        case .failure(let error):
            question = "ERROR: \(error)"
            id = "undefined"
        }
        let pod = contents.identity
        return """
            KUBERNETES IN ACTION DEMO APPLICATION v\(Kiada.edition)

            ==== TIP OF THE MINUTE
            \(quote)

            ==== POP QUIZ
            \(question)

            Submit your answer to /question/\(id)/answers/<index of answer> using the POST method.

            ==== REQUEST INFO
            Request processed by Kiada \(Kiada.edition) running in pod "\(pod.podName)" on node "\(pod.nodeName)".
            Pod hostname: \(pod.hostname); Pod IP: \(pod.podIP); Node IP: \(pod.nodeIP); Client IP: \(contents.clientIP)
            \(contents.statusMessage)

            HTML version of this content is available at /html

            """
    }
}
