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
        page.writeString(start)
        switch contents.quote {
        case .success(let served): page.writeString(served.value)
        case .failure(let error): page.writeString("ERROR: \(error)")
        }
        page.writeStaticString("\n\n==== POP QUIZ\n")
        let id: String
        switch contents.question {
        case .success(let served):
            page.writeString(served.value.text)
            for (index, answer) in served.value.answers.enumerated() {
                page.writeStaticString("\n")
                page.writeString(String(index))
                page.writeStaticString(") ")
                page.writeString(answer)
            }
            id = served.value.id.pathComponent
        case .failure(let error):
            page.writeString("ERROR: \(error)")
            id = "undefined"
        }
        page.writeStaticString("\n\nSubmit your answer to /question/")
        page.writeString(id)
        page.writeStaticString("/answers/<index of answer> using the POST method.\n\n==== REQUEST INFO\n")
        write(contents.identity, to: &page)
        page.writeString(contents.clientIP)
        page.writeStaticString("\n")
        page.writeString(contents.statusMessage)
        page.writeStaticString("\n\nHTML version of this content is available at /html\n")
    }

    private static let start = "KUBERNETES IN ACTION DEMO APPLICATION v\(Kiada.edition)\n\n==== TIP OF THE MINUTE\n"
    private static let processed = "Request processed by Kiada \(Kiada.edition) running in pod \""

    /// Up to the client's address.
    private static func write(_ pod: PodIdentity, to page: inout ByteBuffer) {
        page.writeString(processed)
        page.writeString(pod.podName)
        page.writeStaticString("\" on node \"")
        page.writeString(pod.nodeName)
        page.writeStaticString("\".\nPod hostname: ")
        page.writeString(pod.hostname)
        page.writeStaticString("; Pod IP: ")
        page.writeString(pod.podIP)
        page.writeStaticString("; Node IP: ")
        page.writeString(pod.nodeIP)
        page.writeStaticString("; Client IP: ")
    }
}
