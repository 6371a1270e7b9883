using CsCheck;
using WorktreePool.Lifecycle;
using static WorktreePool.Tests.Lifecycle.Arbitrary;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>A slot that cannot be healed is set aside, told, and retried ever more rarely, but never given up.</summary>
public sealed class QuarantineTests
{
    private static readonly SlotRecord Broken = new() { Slot = "slot-0", Host = Host, Path = "/p", Admin = "slot-0", State = SlotState.Cleaning };

    [Fact]
    public void The_pause_doubles_from_the_setting_up_to_an_hour()
    {
        SlotRecord record = Broken;
        List<double> pauses = [];
        for (int failure = 1; failure <= 10; failure++)
        {
            record = SlotLifecycle.SetAside(record, "disk full", TimeSpan.FromSeconds(30), Now);
            record.Quarantine!.Failures.Should().Be(failure);
            record.Quarantine.Reason.Should().Be("disk full");
            pauses.Add((record.Quarantine.RetryAt - Now).TotalSeconds);
            record = SlotLifecycle.BeginClean(record, null, Worker, Now);
        }

        pauses.Should().Equal(30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600);
    }

    [Fact]
    public void The_retry_is_never_in_the_past_nor_later_than_an_hour_however_often_it_failed() =>
        Gen.Select(Gen.Int[1, int.MaxValue - 1], Gen.Int[1, 1_000_000]).Sample((failures, backoff) =>
        {
            SlotRecord aside = SlotLifecycle.SetAside(Broken with { Quarantine = new QuarantineRecord("x", Now, failures) }, "x", TimeSpan.FromSeconds(backoff), Now);
            return aside.Quarantine!.RetryAt > Now && aside.Quarantine.RetryAt <= Now.AddHours(1);
        });

    [Fact]
    public void It_is_retried_when_its_time_has_come_and_not_before()
    {
        SlotRecord aside = SlotLifecycle.SetAside(Broken, "x", TimeSpan.FromSeconds(30), Now);
        Assess(aside, Now.AddSeconds(29)).Should().Be(Availability.Unavailable);
        Assess(aside, Now.AddSeconds(30)).Should().Be(Availability.Retryable);
    }

    [Fact]
    public void A_clock_that_was_set_back_does_not_keep_it_aside()
    {
        SlotRecord aside = SlotLifecycle.SetAside(Broken, "x", TimeSpan.FromSeconds(30), Now.AddDays(1));
        Assess(aside, Now).Should().Be(Availability.Retryable, "no pause is longer than an hour, so the clock has leapt");
    }

    [Fact]
    public void Once_healed_its_failures_are_forgotten()
    {
        SlotRecord healed = SlotLifecycle.CompleteClean(SlotLifecycle.SetAside(Broken, "x", TimeSpan.FromSeconds(30), Now), "slot-0", "c1", [], Now);
        SlotLifecycle.SetAside(healed, "y", TimeSpan.FromSeconds(30), Now).Quarantine!.Failures.Should().Be(1);
    }

    private static Availability Assess(SlotRecord record, DateTimeOffset now) => SlotLifecycle.Assess(record, Host, "c1", Liveness.Unknown, now);
}
