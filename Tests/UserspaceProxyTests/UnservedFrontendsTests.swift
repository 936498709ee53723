#if os(Linux)
import DataPlaneContract
import NetTypes
import ServiceRouting
import Testing

@testable import UserspaceProxy

@Suite("Frontends that cannot be served")
struct UnservedFrontendsTests {
    private static func problem(_ port: UInt16, _ cause: FrontendProblem.Cause = .notPermitted) -> FrontendProblem {
        let frontend = Frontend(SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: port), .tcp)
        return FrontendProblem(route: PlaneUnderTest.route(frontend, []), cause: cause)
    }

    private static func put(_ problem: FrontendProblem, in unserved: inout UnservedFrontends) {
        unserved[problem.route.frontend] = problem
    }

    @Test("the list is in order, and follows what comes, goes and changes")
    func list() {
        var unserved = UnservedFrontends()
        #expect(unserved.list().isEmpty)
        let (first, second) = (Self.problem(1), Self.problem(2))
        Self.put(second, in: &unserved)
        Self.put(first, in: &unserved)
        #expect(unserved.list() == [first, second])
        let other = Self.problem(1, .noSuchAddress)
        Self.put(other, in: &unserved)
        #expect(unserved.list() == [other, second])
        unserved.keep([second.route.frontend])
        #expect(unserved.list() == [second])
        unserved[second.route.frontend] = nil
        #expect(unserved.list().isEmpty)
    }

    @Test("what changes nothing leaves the list where it is, however long")
    func unchanged() {
        var unserved = UnservedFrontends()
        for port in 1...1000 as ClosedRange<UInt16> { Self.put(Self.problem(port), in: &unserved) }
        let before = unserved.list()
        Self.put(Self.problem(7), in: &unserved)
        unserved[Self.problem(2000).route.frontend] = nil
        let after = unserved.list()
        // The same memory: then those who compare the lists need not look at them either.
        #expect(
            before.withUnsafeBufferPointer { $0.baseAddress } == after.withUnsafeBufferPointer { $0.baseAddress })
    }
}
#endif
