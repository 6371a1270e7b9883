using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class GitBackendConformance
{
    /// <summary>A user's repository is nobody's to put back.</summary>
    [Fact]
    public void A_users_repository_is_not_the_pools_own() => Assert.Null(_git.Isolated);
}
