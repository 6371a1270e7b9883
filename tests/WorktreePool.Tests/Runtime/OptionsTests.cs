using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Tests.Runtime;

/// <summary>A wrong setting is an error when the pool is resolved, and the error names it.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void A_claim_timeout_that_is_not_below_the_hosts_is_an_error_that_names_both()
    {
        Failure(options => (options.ClaimTimeout, options.HostTaskTimeout) = (TimeSpan.FromSeconds(180), TimeSpan.FromSeconds(180)))
            .Should().Contain("ClaimTimeout is 180 s").And.Contain("HostTaskTimeout is 180 s").And.Contain("must be below");
        Failure(options => (options.ClaimTimeout, options.HostTaskTimeout) = (TimeSpan.FromSeconds(600), TimeSpan.FromSeconds(180)))
            .Should().Contain("ClaimTimeout is 600 s").And.Contain("HostTaskTimeout is 180 s").And.NotContain("ReleaseTimeout", "one reason is enough");
    }

    [Theory]
    [InlineData(30, 180, 60)]
    [InlineData(120, 180, 54)]
    [InlineData(150, 180, 27)]
    [InlineData(10, 20, 9)]
    [InlineData(60, null, 60)]
    public void A_release_gets_what_the_host_and_the_claim_leave(int claim, int? host, int release)
    {
        var options = new WorktreePoolOptions { ClaimTimeout = TimeSpan.FromSeconds(claim), HostTaskTimeout = host is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
        options.ReleaseTimeout.Should().Be(TimeSpan.FromSeconds(release));
        Failure(own => (own.ClaimTimeout, own.HostTaskTimeout) = (options.ClaimTimeout, options.HostTaskTimeout)).Should().BeNull();
    }

    [Theory]
    [InlineData(176, null, 180, "ReleaseTimeout is 5 s")]
    [InlineData(120, 60, 180, "ReleaseTimeout is 60 s")]
    [InlineData(30, 600, 180, "ReleaseTimeout is 600 s")]
    public void A_host_that_leaves_no_time_for_the_release_is_an_error_that_names_all_three(int claim, int? release, int host, string told) =>
        Failure(options =>
        {
            (options.ClaimTimeout, options.HostTaskTimeout) = (TimeSpan.FromSeconds(claim), TimeSpan.FromSeconds(host));
            options.ReleaseTimeout = release is { } seconds ? TimeSpan.FromSeconds(seconds) : options.ReleaseTimeout;
        }).Should().Contain($"ClaimTimeout is {claim} s").And.Contain(told).And.Contain("HostTaskTimeout is 180 s").And.Contain("in the middle of a release");

    [Fact]
    public void Every_failure_is_told_at_once() =>
        Failure(options => (options.RepositoryPath, options.Slots, options.ReleaseTimeout) = ("", 0, TimeSpan.Zero))
            .Should().Contain("RepositoryPath").And.Contain("Slots is 0").And.Contain("ReleaseTimeout is 0 s");

    [Fact]
    public void Files_are_copied_from_a_checkout_that_is_named() =>
        Failure(options =>
        {
            (options.RepositoryPath, options.Isolated, options.Remote) = ("", true, "ssh://host/repository.git");
            options.Copy.Add("/.env");
        }).Should().Contain("Copy has \"/.env\"").And.Contain("RepositoryPath is not set");

    [Theory]
    [InlineData("/.cache/", true)]
    [InlineData("/node_modules/", true)]
    [InlineData("cache/", false)]
    [InlineData("/", false)]
    [InlineData("/../out/", false)]
    [InlineData("/a/../../out/", false)]
    [InlineData("/.git/", false)]
    [InlineData("/.git/hooks/", false)]
    [InlineData("/a\nb", false)]
    public void What_is_kept_is_anchored_inside_the_slot(string pattern, bool allowed) =>
        (Failure(options => options.Keep.Add(pattern)) is null).Should().Be(allowed);

    [Theory]
    [InlineData("src", true)]
    [InlineData("/docs/api/", true)]
    [InlineData("größe", true)]
    [InlineData("", false)]
    [InlineData("/", false)]
    [InlineData("../out", false)]
    [InlineData("a//b", false)]
    [InlineData("src/*", false)]
    [InlineData("!src", false)]
    [InlineData(".git", false)]
    [InlineData("a\nb", false)]
    public void A_sparse_pool_names_directories(string directory, bool allowed) =>
        (Failure(options => options.Sparse.Add(directory)) is null).Should().Be(allowed);

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void A_pool_has_1_to_1000_slots(int slots, bool allowed) => (Failure(options => options.Slots = slots) is null).Should().Be(allowed);

    [Fact]
    public void Durations_are_more_than_zero()
    {
        Failure(options => options.ClaimTimeout = TimeSpan.Zero).Should().Contain("ClaimTimeout");
        Failure(options => options.LeaseDuration = TimeSpan.FromTicks(-1)).Should().Contain("LeaseDuration");
        Failure(options => options.QuarantineBackoff = TimeSpan.Zero).Should().Contain("QuarantineBackoff");
        Failure(options => options.HostTaskTimeout = TimeSpan.Zero).Should().Contain("HostTaskTimeout");
    }

    /// <summary>The message of the failure; null when the pool can be resolved. Nothing was opened, so nothing is disposed.</summary>
    private static string? Failure(Action<WorktreePoolOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("agents", options =>
        {
            (options.RepositoryPath, options.PoolDirectory) = ("/r", "/p");
            configure(options);
        }).UseBackend((_, _) => new Testing.ScriptedGitBackend()).UseStore((_, _) => new Testing.InMemorySlotStateStore());
        ServiceProvider provider = services.BuildServiceProvider();
        try
        {
            provider.GetRequiredKeyedService<IWorktreePool>("agents").Should().NotBeNull();
            return null;
        }
        catch (PoolConfigurationException e)
        {
            e.Message.Should().Contain("agents");
            return e.Message;
        }
    }
}
