#if os(Linux)
import CSocketProxy

/// Ties programs to a control group for as long as descriptors are open.
struct ProgramAttachment: Sendable {
    let group: BPFDescriptor

    /// One link per program; all or none.
    func attach(_ programs: [String: BPFDescriptor]) throws(SocketPlaneFailure) -> [ProgramKind: BPFDescriptor] {
        var links: [ProgramKind: BPFDescriptor] = [:]
        // Backwards, so that answers are understood before questions are sent.
        for kind in ProgramKind.allCases.reversed() {
            guard let program = programs[kind.rawValue] else { throw .kernel("the program \(kind) is missing") }
            let link = csocketproxy_create_link(program.number, group.number, kind.attachment)
            links[kind] = BPFDescriptor(try ProgramLoader.checked(link, "attaching the program \(kind)"))
        }
        return links
    }

    /// Puts other programs in place, each at once.
    func exchange(
        _ links: [ProgramKind: BPFDescriptor], for programs: [String: BPFDescriptor]
    ) throws(SocketPlaneFailure) {
        for (kind, link) in links {
            guard let program = programs[kind.rawValue] else { throw .kernel("the program \(kind) is missing") }
            let result = csocketproxy_update_link(link.number, program.number)
            _ = try ProgramLoader.checked(result, "exchanging the program \(kind)")
        }
    }
}
#endif
