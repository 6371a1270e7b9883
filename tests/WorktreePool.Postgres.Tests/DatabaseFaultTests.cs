using System.Security.Authentication;
using Npgsql;

namespace WorktreePool.Postgres.Tests;

/// <summary>What each error of a database leads to: another try or none, and what a person is told.</summary>
public sealed class DatabaseFaultTests
{
    [Theory]
    [InlineData("57P01", "FATAL", true, null)]
    [InlineData("57P05", "FATAL", true, null)]
    [InlineData("25P03", "FATAL", true, null)]
    [InlineData("40001", "ERROR", true, null)]
    [InlineData("40P01", "ERROR", true, null)]
    [InlineData("53300", "FATAL", true, "max_connections")]
    [InlineData("53100", "ERROR", true, "Make room")]
    [InlineData("57014", "ERROR", true, "statement_timeout")]
    [InlineData("25006", "ERROR", true, "standby")]
    [InlineData("55000", "ERROR", true, "standby")]
    [InlineData("42501", "ERROR", false, "docs/fleet.md")]
    [InlineData("42P01", "ERROR", false, "backup")]
    [InlineData("23514", "ERROR", false, "repair it")]
    [InlineData("28P01", "FATAL", false, "password file")]
    [InlineData("3D000", "FATAL", false, "Create the database")]
    public void An_error_says_what_was_left_and_what_to_do(string state, string severity, bool passes, string? advice)
    {
        var fault = new PostgresException("as the server says it", severity, severity, state);
        DatabaseFault.IsPassing(fault).Should().Be(passes);
        StateStoreException told = passes ? DatabaseFault.Lasting("slot-0 was not removed", TimeSpan.FromSeconds(2), fault, DatabaseFault.LeavesDoubt(fault)) : DatabaseFault.Refused("slot-0 was not removed", fault, inDoubt: false);
        told.Message.Should().StartWith("slot-0 was not removed: ").And.Contain("as the server says it. ").And.Contain(severity == "FATAL" && passes ? "may or may not have happened" : "Nothing was changed.");
        told.Message.Should().Contain(advice ?? "tried anew with the next call");
        told.InnerException.Should().BeSameAs(fault);
    }

    [Fact]
    public void A_refusal_after_a_lost_answer_does_not_say_that_nothing_was_changed() =>
        DatabaseFault.Refused("slot-0 was not removed", new PostgresException("no", "ERROR", "ERROR", "42501"), inDoubt: true).Message.Should().NotContain("Nothing was changed").And.Contain("read again");

    [Fact]
    public void A_certificate_that_is_refused_is_told_with_the_settings_for_it() =>
        DatabaseFault.Refused("slot-0 was not removed", new NpgsqlException("no", new AuthenticationException("the certificate is another's")), inDoubt: false)
            .Message.Should().Contain("another's").And.Contain("Root Certificate");

    [Fact]
    public void A_connection_that_broke_is_told_with_the_systems_reason() =>
        DatabaseFault.Lasting("slot-0 was not removed", TimeSpan.FromSeconds(2), new NpgsqlException("Exception while reading from stream", new IOException("Connection reset by peer")), inDoubt: true)
            .Message.Should().Contain("from stream: Connection reset by peer. A change");

    [Fact]
    public void No_answer_is_told_as_that() => DatabaseFault.Lasting("slot-0 was not removed", TimeSpan.FromSeconds(2), new OperationCanceledException("A task was canceled."), inDoubt: true)
        .Message.Should().Contain("no answer came").And.NotContain("task");
}
