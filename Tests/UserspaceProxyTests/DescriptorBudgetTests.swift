#if os(Linux)
import Testing

@testable import UserspaceProxy

struct DescriptorBudgetTests {
    @Test(
        "three quarters of what the rest of the process leaves may listen; what does not is for connections",
        arguments: [(16, 9, 12), (1024, 576, 768), (20_000, 14_808, 19_744), (1_048_576, 786_240, 1_048_320)])
    func shares(_ limit: Int, _ listeners: Int, _ usable: Int) {
        let budget = DescriptorBudget(limit: limit)
        #expect(budget.maximumListeners == listeners)
        #expect(budget.share(besides: 0) == usable)
        #expect(budget.share(besides: listeners) == usable - listeners)
        #expect(budget.share(besides: limit) == 0)
    }

    @Test func aLimitThatWasGivenStaysWhateverIsNeeded() {
        var budget = DescriptorBudget(limit: 16)
        budget.makeRoom(for: 1000)
        #expect(budget.limit == 16)
    }
}
#endif
