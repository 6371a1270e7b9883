using WorktreePool.Runtime;

namespace WorktreePool.Tests.Runtime;

/// <summary>Threads that hang in calls to a dead file system are made up for.</summary>
[Collection(nameof(ThreadReserveTests))]
[CollectionDefinition(nameof(ThreadReserveTests), DisableParallelization = true)]
public sealed class ThreadReserveTests
{
    [Fact]
    public async Task One_that_hangs_is_made_up_for_until_it_comes_back()
    {
        ThreadReserve.Make();
        int usual = AtOnce();
        usual.Should().BeGreaterThan(Environment.ProcessorCount);
        ThreadReserve.Make();
        AtOnce().Should().Be(usual, "the usual reserve is made once");
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();

        Task firstReplaced = ThreadReserve.ReplaceAsync(first.Task), secondReplaced = ThreadReserve.ReplaceAsync(second.Task);

        AtOnce().Should().Be(usual + 2);
        second.SetException(new IOException("gone"));
        await secondReplaced;
        AtOnce().Should().Be(usual + 1);
        first.SetResult();
        await firstReplaced;
        AtOnce().Should().Be(usual);
    }

    private static int AtOnce()
    {
        ThreadPool.GetMinThreads(out int workers, out _);
        return workers;
    }
}
