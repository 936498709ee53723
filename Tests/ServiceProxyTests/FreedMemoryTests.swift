import LinuxKernel
import Testing

@Suite("Memory that was freed")
struct FreedMemoryTests {
    @Test("is given back while the start's work lasts, once at its end, and then after bursts only")
    func due() {
        var freed = FreedMemory()
        let looks: [(isSettled: Bool, revision: UInt64, isDue: Bool)] = [
            (false, 100, true), (false, 100, true), (true, 5_000, true), (true, 5_000, false), (false, 24_999, false),
            (false, 25_000, true), (true, 25_100, false),
        ]
        for look in looks {
            #expect(freed.isDue(isSettled: look.isSettled, revision: look.revision) == look.isDue, "\(look)")
        }
        FreedMemory.giveBack()
    }
}
