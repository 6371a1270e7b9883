namespace WorktreePool.Runtime;

/// <summary>
/// First come, first served among the waiting claims of one process. The turn is the first place's that wants it: a claim wants it only
/// while it looks for a slot or waits for one, so that nobody in line waits for another's git.
/// </summary>
internal sealed class WaitingLine
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _places = new();

    /// <summary>A new place at the end.</summary>
    public Place Join()
    {
        var place = new Place(this);
        lock (_lock)
        {
            place.Node = _places.AddLast(place);
        }

        return place;
    }

    /// <summary>Wakes whose turn it is. Called under the lock.</summary>
    private void Pass()
    {
        for (LinkedListNode<Place>? node = _places.First; node is not null; node = node.Next)
        {
            if (node.Value.Turn is { } turn)
            {
                turn.TrySetResult();
                return;
            }
        }
    }

    /// <summary>One claim's place.</summary>
    internal sealed class Place(WaitingLine line) : IDisposable
    {
        public LinkedListNode<Place>? Node { get; set; }

        /// <summary>Set while the place wants the turn; completed when it has it.</summary>
        public TaskCompletionSource? Turn { get; private set; }

        /// <summary>Wants the turn and completes when it comes; at once when no earlier place wants it. It stays until <see cref="StepAside"/>.</summary>
        public async ValueTask WaitForTurnAsync(CancellationToken cancellationToken)
        {
            TaskCompletionSource turn;
            lock (line._lock)
            {
                // Anew each time: an earlier place may want the turn by now.
                turn = Turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                line.Pass();
            }

            await turn.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        /// <summary>Lets the others have the turn, and keeps the place.</summary>
        public void StepAside()
        {
            lock (line._lock)
            {
                Turn = null;
                line.Pass();
            }
        }

        /// <summary>Leaves for good, also when cancelled in the middle of the line.</summary>
        public void Dispose()
        {
            lock (line._lock)
            {
                if (Node is not null)
                {
                    line._places.Remove(Node);
                    (Node, Turn) = (null, null);
                    line.Pass();
                }
            }
        }
    }
}
