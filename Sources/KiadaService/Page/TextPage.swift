import NIOCore
import ServiceKit

/// The page for terminals (rule 10.1).
package enum TextPage {
    /// The whole page.
    ///
    /// What could not be had stands as `ERROR: ...` in its section, and the page is whole all the same.
    package static func text(_ contents: PageContents) -> String {
        var page = ByteBuffer()
        write(contents, to: &page)
        return String(buffer: page)
    }

    static func write(_ contents: PageContents, to page: inout ByteBuffer) {
        page.write("KUBERNETES IN ACTION DEMO APPLICATION v", Kiada.edition, "\n\n==== TIP OF THE MINUTE\n")
        switch contents.quote {
        case .success(let served): page.writeString(served.value)
        case .failure(let error): page.write("ERROR: ", error.description)
        }
        page.writeStaticString("\n\n==== POP QUIZ\n")
        let id: String
        switch contents.question {
        case .success(let served):
            page.writeString(served.value.text)
            for (index, answer) in served.value.answers.enumerated() { page.write("\n", String(index), ") ", answer) }
            id = served.value.id.pathComponent
        case .failure(let error):
            page.write("ERROR: ", error.description)
            id = "undefined"
        }
        page.write(
            "\n\nSubmit your answer to /question/", id, "/answers/<index of answer> using the POST method.\n\n",
            "==== REQUEST INFO\nRequest processed by Kiada ", Kiada.edition)
        let pod = contents.identity
        page.write(" running in pod \"", pod.podName, "\" on node \"", pod.nodeName, "\".\n")
        page.write("Pod hostname: ", pod.hostname, "; Pod IP: ", pod.podIP, "; Node IP: ", pod.nodeIP)
        page.write("; Client IP: ", contents.clientIP, "\n", contents.statusMessage, "\n\n")
        page.writeStaticString("HTML version of this content is available at /html\n")
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ texts: String...) {
        for text in texts { writeString(text) }
    }
}
